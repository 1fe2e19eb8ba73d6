export { type EmbeddedCluster, startCluster } from "./embedded-cluster.ts";
export { StartRefusal } from "./preflight.ts";
export type { ServiceProcess } from "./service-process.ts";
export { type ClusterSettings, readSettings } from "./settings.ts";
