export { type ClusterState, type ClusterStateOptions, createClusterState } from "./cluster-state.ts";
export type { ChunkReport, ClusterReport, DataState, NodeReport } from "./report.ts";
