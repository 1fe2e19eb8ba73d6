import type { Accounts } from "@holdfast/core/accounts";
import type { ClusterState } from "@holdfast/core/cluster-state";
import type { Controller } from "@holdfast/core/controller";
import type { FaultSimulation } from "@holdfast/core/fault-simulation";
import type { Logger } from "@holdfast/core/kernel";
import type { SettingDefaults } from "@holdfast/core/topology";
import type { Database } from "@holdfast/db";

/** What routes and procedures work with; made once, where the process is wired. */
export interface Services {
  database: Database;
  accounts: Pick<Accounts, "handler" | "actorOf" | "isConfirmed" | "confirm">;
  controller: Pick<Controller, "workers" | "leadership" | "safemode">;
  clusterState: ClusterState;
  /** What the environment says of the cluster, where no operator has said otherwise. */
  settings: SettingDefaults;
  simulation: FaultSimulation;
  logger: Logger;
  /** Aborts when the process stops: long answers end. */
  stopping: AbortSignal;
}
