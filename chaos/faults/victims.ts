/** Everything that can be hurt: which process it is, and whether it does its work at this moment. */
import type { ServiceProcess } from "@holdfast/cluster";
import type { SecondConsole, TestCluster } from "@holdfast/cluster/testing";
import type { Database } from "@holdfast/db";
import { patiently, Skipped } from "./patience.ts";
import { kill } from "./processes.ts";

const PROBE_TIMEOUT_MS = 1_000;
/** A fault that strikes what is away already is none. */
const PATIENCE_MS = 30_000;
/** What is not back after this never will be; then the end of the run finds it. */
const RETURN_MS = 60_000;

export interface Victim {
  readonly name: string;
  /** Undefined between two lives. */
  readonly pid: number | undefined;
  isServing(): Promise<boolean>;
  /** kill -9, and a new process at once: a supervisor's growing pauses would be most of a dense run. */
  kill(): Promise<void>;
}

export interface ServiceVictim extends Victim {
  readonly process: ServiceProcess;
}

export interface NodeVictim extends ServiceVictim {
  /** Its number in the rows. */
  readonly id: number;
  readonly port: number;
}

export interface Victims {
  /** In the order of the cluster's nodes. */
  readonly nodes: readonly NodeVictim[];
  readonly gateway: Victim;
  /** In the consoles; one or two. */
  readonly controllers: readonly Victim[];
  readonly postgres: Victim;
}

/** To be called while all is well. */
export async function findVictims(
  cluster: TestCluster,
  second: SecondConsole | undefined,
  { pool }: Pick<Database, "pool">,
): Promise<Victims> {
  const { rows } = await pool.query<{ id: number; name: string; port: number }>("SELECT id, name, port FROM node");
  return {
    nodes: cluster.nodes.map((process) => {
      const { id, port } = rows.find(({ name }) => name === process.name)!;
      return Object.assign(victimOf(process, `http://127.0.0.1:${port}/health`), { id, port });
    }),
    gateway: victimOf(cluster.drive, `${cluster.driveUrl}/api/health`),
    controllers: [
      victimOf(cluster.console, `${cluster.consoleUrl}/api/health`),
      ...(second === undefined ? [] : [victimOf(second.process, `${second.url}/api/health`)]),
    ],
    postgres: {
      name: "postgres",
      get pid() {
        return cluster.postgres!.pid;
      },
      isServing: async () => (await pool.query("SELECT")).rowCount === 1,
      kill: () => kill(cluster.postgres!),
    },
  };
}

function victimOf(process: ServiceProcess, health: string): ServiceVictim {
  return {
    process,
    name: process.name,
    get pid() {
      return process.pid;
    },
    isServing: async () => (await fetch(health, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })).status === 200,
    async kill() {
      await process.unplug();
      process.plugIn();
    },
  };
}

/** Only what serves can be interrupted. */
export async function killServing(victim: Victim): Promise<void> {
  if (!(await patiently(() => victim.isServing(), PATIENCE_MS))) throw new Skipped(`${victim.name} was not serving`);
  await victim.kill();
}

export async function untilServing(victims: readonly Victim[]): Promise<void> {
  await Promise.all(victims.map((victim) => patiently(() => victim.isServing(), RETURN_MS)));
}
