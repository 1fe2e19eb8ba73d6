export { type ClusterState, type ClusterStateOptions, createClusterState } from "./cluster-state.ts";
export type { CapacityReport, ChunkReport, ClusterReport, DataState, HealingOrders, NodeReport } from "./report.ts";
