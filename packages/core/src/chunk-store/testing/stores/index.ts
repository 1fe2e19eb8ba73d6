/** The kinds of store on a disk, for tests that all of them must pass. */
import { type Clock, createLogger, HOUR_MS, MiB } from "../../../kernel/index.ts";
import { BLOCK_BYTES, FileChunkStore, type LocalChunkStore, SegmentChunkStore } from "../../index.ts";

export interface StoreKind {
  /** Opens what the last one left behind, or an empty one. */
  open(directory: string, clock?: Clock): Promise<LocalChunkStore>;
  /** Gives back the space of what was deleted, where that is not done at once. */
  compact?(store: LocalChunkStore): Promise<unknown>;
  /** Whether it tells the parts of a whole chunk of this length without reading all of it. */
  tellsParts(chunkLength: number): boolean;
  /** Whose clock says since when a chunk is in the trash. A test cannot hold the disk's. */
  trashedBy: "clock" | "disk";
}

const options = { reserveBytes: 0, logger: createLogger("store", "silent") };

const file: StoreKind = {
  open: (directory, clock) => FileChunkStore.open({ ...options, directory, clock }),
  tellsParts: () => false,
  trashedBy: "disk",
};

/** Small ones, so that a few chunks fill them. They are compacted when told to, and once at each start. */
const segment: StoreKind = {
  open: (directory, clock) => SegmentChunkStore.open({ ...options, directory, clock, segmentBytes: MiB, compactionIntervalMs: HOUR_MS }),
  compact: (store: SegmentChunkStore) => store.compact(),
  tellsParts: (chunkLength) => chunkLength >= BLOCK_BYTES,
  trashedBy: "clock",
};

export const storeKinds = { file, segment };
export type StoreKindName = keyof typeof storeKinds;
