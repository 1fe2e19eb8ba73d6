export { createManualClock, type ManualClock } from "./manual-clock.ts";
export { nodeSnapshot } from "./node-snapshot.ts";
export { createTestNodes, type NodeFault, type TestNode, type TestNodes } from "./storage-nodes.ts";
export { toldEvents } from "./told.ts";
export { type ChunkRow, createStoredCluster, type KeepOptions, type StoredCluster } from "./stored-cluster.ts";
