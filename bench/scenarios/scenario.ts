import type { TestCluster } from "@holdfast/cluster/testing";
import type { Result } from "../measure.ts";

export interface Bench {
  cluster: TestCluster;
  rounds: number;
  /** How much data, for scenarios whose size is a choice. */
  gib: number;
  /** Processes whose CPU time counts: gateway, nodes and database, not the load generator. */
  serverPids: () => number[];
}

/** One claim, measured. Returns a row for each figure. */
export type Scenario = (bench: Bench) => Promise<Result[]>;
