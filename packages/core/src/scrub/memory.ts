import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "../chunk-store/index.ts";
import { parseChunkId } from "../chunking/index.ts";

const FILE = "holdfast-scrub.json";
const time = z.int().min(0);

const progress = z.object({
  /** Everything up to here was read in the present pass; absent at its beginning. */
  cursor: z
    .string()
    .transform((text) => parseChunkId(text))
    .optional(),
  /** Milliseconds since 1970. Absent while no pass is under way, or none ever ended. */
  startedAtMs: time.optional(),
  finishedAtMs: time.optional(),
});

export type ScrubProgress = z.output<typeof progress>;

/** How far the scrub of a node's directory has come, across restarts. One that cannot be read costs a pass, nothing else. */
export class ScrubMemory {
  readonly #path: string;

  constructor(directory: string) {
    this.#path = join(directory, FILE);
  }

  load(): ScrubProgress {
    if (!existsSync(this.#path)) return {};
    try {
      return progress.parse(JSON.parse(readFileSync(this.#path, "utf8")));
    } catch {
      return {}; // it begins anew
    }
  }

  async save(current: ScrubProgress): Promise<void> {
    await writeDurably({ temporary: `${this.#path}.new`, destination: this.#path }, [Buffer.from(`${JSON.stringify(current)}\n`)]);
  }
}
