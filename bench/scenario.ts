/** A claim, and how it is measured. */
import type { TestCluster } from "@holdfast/cluster/testing";
import type { Door } from "./load/door.ts";
import type { Limits } from "./measure/limits.ts";
import type { Row } from "./report/row.ts";

export interface Settings {
  /** Rounds of each measurement; the median counts. */
  rounds: number;
  /** How much data lies there, for scenarios about a whole cluster; undefined for what each is about. */
  gib: number | undefined;
  limits: Limits;
}

interface Claim {
  /** In the table of claims. */
  number: number;
  name: string;
  /** In plain words. */
  title: string;
}

/** Files put and read by any door: the Drive's, or a peer's. */
export interface DoorScenario extends Claim {
  kind: "door";
  measure(door: Door, settings: Settings): Promise<Row[]>;
}

export interface ClusterScenario extends Claim {
  kind: "cluster";
  /** What its cluster has unlike others. */
  environment?: Readonly<Record<string, string>>;
  measure(cluster: TestCluster, settings: Settings): Promise<Row[]>;
}

/** Needs no cluster. */
export interface PureScenario extends Claim {
  kind: "pure";
  measure(settings: Settings): Promise<Row[]>;
}

export type Scenario = DoorScenario | ClusterScenario | PureScenario;
