import { createLogger } from "../../../kernel/index.ts";
import { FileChunkStore } from "../../index.ts";
import type { ModelledStore } from "./twins.ts";

const options = { reserveBytes: 0, logger: createLogger("model", "silent") };

/** Each kind of store on a disk, in a directory of its own. */
export const modelledStores = {
  file: (directory) => ({ open: (clock) => FileChunkStore.open({ ...options, directory, clock }), trashedBy: "disk" }),
} satisfies Record<string, (directory: string) => ModelledStore>;
