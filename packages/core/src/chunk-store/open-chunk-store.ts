/** The store of a disk, as its marker or its operator says. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../kernel/index.ts";
import { CHUNK_FOLDERS } from "./chunk-directory.ts";
import type { ChunkStoreKind } from "./chunk-store-kind.ts";
import { DiskHealth } from "./disk-health.ts";
import { FileChunkStore } from "./file-chunk-store.ts";
import type { LocalChunkStore } from "./local-chunk-store.ts";
import { MigratingChunkStore } from "./migration/migrating-chunk-store.ts";
import { SegmentChunkStore } from "./segments/segment-chunk-store.ts";

export interface ChunkStoreOptions {
  /** Made when absent; its parent must exist. */
  directory: string;
  /** Free bytes never written to, instead of the share in `limits`. */
  reserveBytes?: number | undefined;
  logger: Logger;
}

/** Chunks in files where segments are wanted are served from where they are, until somebody has moved them. */
export async function openChunkStore(kind: ChunkStoreKind, options: ChunkStoreOptions): Promise<LocalChunkStore | MigratingChunkStore> {
  if (kind === "file") return await FileChunkStore.open(options);
  if (!CHUNK_FOLDERS.some((folder) => existsSync(join(options.directory, folder)))) return await SegmentChunkStore.open(options);
  const health = new DiskHealth(options.logger);
  const files = await FileChunkStore.open({ ...options, health });
  return await MigratingChunkStore.open(files, await SegmentChunkStore.open({ ...options, health }));
}
