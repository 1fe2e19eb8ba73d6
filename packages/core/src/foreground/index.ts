export { type FeltLatency, type GatewayFelt, readFelt, reportFelt, type ReportFeltOptions } from "./felt.ts";
export { createRecentLatency, type RecentLatency } from "./recent-latency.ts";
