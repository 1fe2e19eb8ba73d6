export { createManualClock, type ManualClock } from "./manual-clock.ts";
export { nodeSnapshot } from "./node-snapshot.ts";
export { createTestNodes, type NodeFault, type TestNode, type TestNodes } from "./storage-nodes.ts";
