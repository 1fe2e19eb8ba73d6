import type { ClusterReport } from "@holdfast/core/cluster-state";

type Repair = ClusterReport["repairs"][number];
type Rebalance = ClusterReport["rebalances"][number];

/** What repairs and rebalances have in common. */
export type Work = Pick<Repair & Rebalance, Extract<keyof Repair, keyof Rebalance>>;

/** Whether it will still change by itself or by somebody's word. */
export function isOpen({ state }: Pick<Work, "state">): boolean {
  return state !== "done" && state !== "cancelled";
}
