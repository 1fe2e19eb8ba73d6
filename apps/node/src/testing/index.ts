export { CLUSTER_KEY, joinedDirectory, nodeAddress, startTestNode, type TestNode } from "./test-node.ts";
export { type NodeProcess, spawnNode } from "./node-process.ts";
