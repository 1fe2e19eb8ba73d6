import { ChunkBuffers } from "@holdfast/core/byte-budget";
import { limits } from "@holdfast/core/kernel";

/** All memory for chunks in a node, whichever door they pass: nothing else in it grows with the load. */
export interface ChunkMemory {
  receiving: ChunkBuffers;
  sending: ChunkBuffers;
  /** On their way to nodes that make copies. */
  lending: ChunkBuffers;
  healing: ChunkBuffers;
  scrubbing: ChunkBuffers;
}

/** Budgets of their own, so that a flood of writes cannot keep readers waiting, nor slow readers the writers, nor healing either: not
 * even two nodes that make copies of each other's chunks. */
export function createChunkMemory(): ChunkMemory {
  return {
    receiving: new ChunkBuffers(limits.nodeReceiveBytes, { onPages: true }),
    sending: new ChunkBuffers(limits.nodeSendBytes),
    lending: new ChunkBuffers(limits.nodeLendBytes, { onPages: true }),
    healing: new ChunkBuffers(limits.nodeHealingBytes, { onPages: true }),
    scrubbing: new ChunkBuffers(limits.nodeScrubBytes, { onPages: true }),
  };
}

/** Whether some user is being served right now. */
export function isServing({ receiving, sending }: ChunkMemory): boolean {
  return receiving.usedBytes + sending.usedBytes > 0;
}
