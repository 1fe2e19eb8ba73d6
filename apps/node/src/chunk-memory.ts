import { ChunkBuffers } from "@holdfast/core/byte-budget";
import { limits } from "@holdfast/core/kernel";

/** All memory for chunks in a node, whichever door they pass: nothing else in it grows with the load. */
export interface ChunkMemory {
  receiving: ChunkBuffers;
  sending: ChunkBuffers;
  healing: ChunkBuffers;
  scrubbing: ChunkBuffers;
}

/** Budgets of their own, so that a flood of writes cannot keep readers waiting, nor slow readers the writers, nor healing either. */
export function createChunkMemory(): ChunkMemory {
  return {
    receiving: new ChunkBuffers(limits.nodeReceiveBytes),
    sending: new ChunkBuffers(limits.nodeSendBytes),
    healing: new ChunkBuffers(limits.nodeHealingBytes),
    scrubbing: new ChunkBuffers(limits.nodeScrubBytes),
  };
}

/** Whether somebody is being served right now. */
export function isServing({ receiving, sending }: ChunkMemory): boolean {
  return receiving.usedBytes + sending.usedBytes > 0;
}
