/** After the last fault, without a human hand: how long until the cluster says that all is well, and until it is true. */
import { setTimeout as delay } from "node:timers/promises";
import type { TestCluster } from "@holdfast/cluster/testing";
import type { CopyFindings } from "./invariants/copies.ts";

const POLL_MS = 500;
/** Reading every copy is work for the nodes, too. */
const REST_AFTER_LOOK_MS = 3_000;

interface ClusterReport {
  state: string;
  why: string;
}

export interface Settled {
  /** Since the last fault ended; undefined when it did not happen in time. */
  okSeconds: number | undefined;
  wholeSeconds: number | undefined;
  /** What was true at the end. */
  copies: CopyFindings;
  violations: string[];
}

export interface SettleOptions {
  /** Reads every copy. */
  look: () => Promise<CopyFindings>;
  limitMs: number;
  say: (line: string) => void;
}

export async function settle(cluster: TestCluster, { look, limitMs, say }: SettleOptions): Promise<Settled> {
  const startMs = performance.now();
  const seconds = (): number => (performance.now() - startMs) / 1_000;
  let okSeconds: number | undefined;
  for (;;) {
    const isLate = performance.now() - startMs > limitMs;
    const { state, why } = await report(cluster);
    if (state === "ok") okSeconds ??= seconds();
    if (state === "ok" || isLate) {
      const copies = await look();
      say(`the cluster says "${state}"; ${copies.faults.length} of ${copies.copies} copies are missing or not whole`);
      const isOk = state === "ok" && copies.faults.length === 0;
      if (isOk) return { okSeconds, wholeSeconds: seconds(), copies, violations: [] };
      if (isLate) return { okSeconds, wholeSeconds: undefined, copies, violations: unsettled(state, why, copies, limitMs) };
      await delay(REST_AFTER_LOOK_MS);
    }
    await delay(POLL_MS);
  }
}

function unsettled(state: string, why: string, { faults }: CopyFindings, limitMs: number): string[] {
  const late = `${limitMs / 1_000} s after the last fault`;
  return [
    ...(state === "ok" ? [] : [`${late} the cluster is "${state}": ${why}`]),
    ...(faults.length === 0
      ? []
      : [`${late} ${faults.length} copies are missing or not whole; for example ${faults.slice(0, 3).join("; ")}`]),
  ];
}

async function report(cluster: TestCluster): Promise<ClusterReport> {
  try {
    return await cluster.operator.get<ClusterReport>("/api/cluster");
  } catch (error) {
    return { state: "silent", why: String(error) }; // the console may be about to start again
  }
}
