export { askForInventory, checkConsistency, type ConsistencyOptions } from "./check-consistency.ts";
export type { Consistency, Finding, FindingKind } from "./finding.ts";
export { describeConsistency, exitCodeOf } from "./report.ts";
