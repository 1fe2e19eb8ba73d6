/** A segment store in a directory of its own, and hands to hurt it with. */
import { randomBytes } from "node:crypto";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ChunkId, chunkIdOf } from "../../../chunking/index.ts";
import { createLogger, HOUR_MS, MiB } from "../../../kernel/index.ts";
import { SegmentChunkStore, type SegmentChunkStoreOptions } from "../../index.ts";
import { type SegmentFileSystem, segmentFileSystem } from "../placed-file.ts";

export const SEGMENT_BYTES = 5 * MiB;

export interface TestChunk {
  id: ChunkId;
  bytes: Buffer;
}

/** Compacts when it must, else never by itself. */
export function openStore(directory: string, options: Partial<SegmentChunkStoreOptions> = {}): Promise<SegmentChunkStore> {
  const logger = createLogger("test", "silent");
  return SegmentChunkStore.open({
    directory,
    reserveBytes: 0,
    logger,
    segmentBytes: SEGMENT_BYTES,
    compactionIntervalMs: HOUR_MS,
    ...options,
  });
}

export function someChunk(length = 10_000): TestChunk {
  const bytes = randomBytes(length);
  return { id: chunkIdOf(bytes), bytes };
}

/** Puts them one after the other, so that they lie on the disk in this order. */
export async function putAll(store: SegmentChunkStore, chunks: readonly TestChunk[]): Promise<void> {
  for (const { id, bytes } of chunks) await store.put(id, bytes);
}

/** What a process that was killed at this moment would have left, in a directory of its own. */
export function leftBehind(root: string): string {
  const copy = `${root}-left-${readdirSync(join(root, "..")).length}`;
  cpSync(root, copy, { recursive: true });
  return copy;
}

export function segmentFile(root: string, number: number, suffix = ".seg"): string {
  return join(root, "segments", String(number).padStart(8, "0") + suffix);
}

export function change(path: string, by: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  by(bytes);
  writeFileSync(path, bytes);
}

export async function damageChunk(store: SegmentChunkStore, id: ChunkId): Promise<void> {
  const { path, offset } = (await store.locate(id))!;
  change(path, (bytes) => (bytes[offset]! ^= 1));
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as the kernel would say`), { code });
}

export interface DiskStep {
  kind: "open" | "create" | "read" | "write" | "sync";
  path: string;
  /** Of a read or write, and how much is read. */
  position: number;
  length: number;
}

/** The disk, the real one by default, with `before` called ahead of each step; what it throws is what the disk answers. */
export function watched(before: (step: DiskStep) => void, fileSystem: SegmentFileSystem = segmentFileSystem): SegmentFileSystem {
  return {
    async open(path, options) {
      before({ kind: options?.create === true ? "create" : "open", path, position: 0, length: 0 });
      const file = await fileSystem.open(path, options);
      return {
        async read(into, position) {
          before({ kind: "read", path, position, length: into.length });
          return file.read(into, position);
        },
        async write(parts, position) {
          before({ kind: "write", path, position, length: 0 });
          return file.write(parts, position);
        },
        async sync() {
          before({ kind: "sync", path, position: 0, length: 0 });
          return file.sync();
        },
        allocate: (bytes) => file.allocate(bytes),
        close: () => file.close(),
      };
    },
  };
}
