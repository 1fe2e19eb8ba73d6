import { closeSync, openSync, readdirSync, readSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "@holdfast/core/kernel";

/** In which a file's size on the disk is counted, whatever the file system's own blocks are. */
const STAT_BLOCK_BYTES = 512;
const STEP_BYTES = 1 * MiB;
const zeros = Buffer.alloc(STEP_BYTES);

/**
 * What all below the directory takes on the disk. Room that was written full of zeros ahead of its use does not count: how
 * much of it there is depends on when one looks, not on how much was stored.
 */
export function bytesOnDisk(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map(({ parentPath, name }) => join(parentPath, name))
    .reduce((sum, path) => sum + fileBytes(path, statSync(path, { throwIfNoEntry: false })), 0);
}

function fileBytes(path: string, stats: Stats | undefined): number {
  if (stats === undefined) return 0; // gone meanwhile
  const allocated = stats.blocks * STAT_BLOCK_BYTES;
  return stats.isFile() && stats.size > STEP_BYTES ? Math.max(0, allocated - zeroTailBytes(path, stats.size)) : allocated;
}

/** In whole steps. */
function zeroTailBytes(path: string, size: number): number {
  const part = Buffer.allocUnsafe(STEP_BYTES);
  const fd = openSync(path, "r");
  try {
    let tail = 0;
    while (tail + STEP_BYTES <= size && readSync(fd, part, 0, STEP_BYTES, size - tail - STEP_BYTES) === STEP_BYTES && part.equals(zeros))
      tail += STEP_BYTES;
    return tail;
  } finally {
    closeSync(fd);
  }
}
