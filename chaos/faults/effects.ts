/** What each kind of fault does, to its end: when it returns, the fault is over, and recovery begins. */
import { setTimeout as delay } from "node:timers/promises";
import type { TestCluster } from "@holdfast/cluster/testing";
import { MiB } from "@holdfast/core/kernel";
import type { Database } from "@holdfast/db";
import type { Random } from "../random.ts";
import type { FaultKind } from "../schedule.ts";
import { absent } from "./absence.ts";
import { BAD_DISKS, giveBadDisk } from "./bad-disk.ts";
import type { Clocks } from "./clocks.ts";
import type { Copies, Damage } from "./copies.ts";
import type { Leaders } from "./leaders.ts";
import type { LoopDisk } from "./loop-disk.ts";
import { cutPort, type Direction } from "./network.ts";
import type { NodeDisk } from "./node-disk.ts";
import { patiently, Skipped, untilAnswered } from "./patience.ts";
import { freeze } from "./processes.ts";
import { killServing, type NodeVictim, type Victim, type Victims } from "./victims.ts";

/** Less than the reserve that the cluster is told to keep: the disk counts as full. */
const FULL_BYTES_LEFT = 24 * MiB;
/** Heartbeats tell of it, as soon as the controller and its database can hear. */
const NOTICED_MS = 5_000;
const RECOVER_MS = 60_000;

export interface Strike {
  /** Of the node; 0 when it strikes a service. */
  index: number;
  forMs: number;
  /** What strikes many things at once counts for as many faults; no more than this are wanted. */
  most: number;
}

/** Resolves with how many faults that was, if not one. Rejects with `Skipped` when it was none. */
export type Effect = (strike: Strike) => Promise<number | void>;

export interface EffectParts {
  cluster: TestCluster;
  database: Pick<Database, "pool">;
  victims: Victims;
  leaders: Leaders;
  copies: Copies;
  /** One for each node, in their order. */
  disks: readonly NodeDisk[];
  /** Likewise; empty when nodes share the machine's own disk. */
  loopDisks: readonly LoopDisk[];
  /** Undefined when no clock is to jump. */
  clocks: Clocks | undefined;
  controllerPort: number;
  random: Random;
}

export function createEffects(parts: EffectParts): Record<FaultKind, Effect> {
  return {
    ...processEffects(parts),
    ...membershipEffects(parts),
    ...networkEffects(parts),
    ...copyEffects(parts),
    ...diskEffects(parts),
    ...clockEffects(parts),
  };
}

function processEffects({ database: { pool }, victims: { nodes, gateway, controllers, postgres }, leaders }: EffectParts) {
  return {
    "kill-node": ({ index }) => killServing(nodes[index]!),
    "kill-gateway": () => killServing(gateway),
    "kill-controller": () => killServing(controllers[0]!),
    "kill-postgres": () => killServing(postgres),
    "stop-node": ({ index, forMs }) => frozen(nodes[index]!, forMs),
    "stop-controller": ({ forMs }) => frozen(controllers[0]!, forMs),
    "stop-postgres": ({ forMs }) => frozen(postgres, forMs),
    "kill-leader": () => leaders.kill(),
    "stop-leader": ({ forMs }) => leaders.stop(forMs),
    async "terminate-backends"() {
      await untilAnswered(() =>
        pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"),
      );
    },
    "unplug-node": ({ index, forMs }) => unplugged(nodes[index]!.process, forMs),
  } satisfies Partial<Record<FaultKind, Effect>>;
}

/** Nodes that are not what the cluster takes them for. */
function membershipEffects({ cluster, database, victims: { nodes }, copies, disks }: EffectParts) {
  return {
    async "absent-node"({ index, forMs }) {
      await copies.requireOthers(index);
      await absent(database, nodes[index]!, forMs);
    },
    async "clone-node"({ index, forMs }) {
      const path = `/api/cluster/nodes/${nodes[index]!.id}`;
      const asked = await cluster.operator.json("POST", `${path}/simulate`, { fault: "clone", seconds: 60 }).catch(skipped);
      if (asked.status !== 200) throw new Skipped(asked.body.toString());
      await delay(forMs);
      await patiently(async () => (await cluster.operator.json("POST", `${path}/recover`, {})).status === 200, RECOVER_MS);
    },
    async "wipe-node"({ index, forMs }) {
      await copies.requireOthers(index);
      await unplugged(nodes[index]!.process, forMs, () => disks[index]!.wipe());
    },
  } satisfies Partial<Record<FaultKind, Effect>>;
}

function networkEffects({ cluster, victims: { nodes }, controllerPort }: EffectParts) {
  return {
    "unreachable-node": ({ index, forMs }) => cut(nodes[index]!.port, "to", forMs),
    "mute-node": ({ index, forMs }) => cut(nodes[index]!.port, "from", forMs),
    "unreachable-controller": ({ forMs }) => cut(controllerPort, "to", forMs),
    "unreachable-postgres": ({ forMs }) => cut(Number(new URL(cluster.databaseUrl).port), "to", forMs),
  } satisfies Partial<Record<FaultKind, Effect>>;
}

function copyEffects({ copies }: EffectParts) {
  const damage =
    (kind: Damage): Effect =>
    ({ index, most }) =>
      copies.damage(kind, index, most);
  return {
    "flip-bit": damage("flip-bit"),
    "truncate-chunk": damage("truncate-chunk"),
    "swap-chunks": damage("swap-chunks"),
  } satisfies Partial<Record<FaultKind, Effect>>;
}

function diskEffects({ database, victims: { nodes }, copies, loopDisks }: EffectParts) {
  return {
    /** The node takes no more chunks until somebody has looked at its disk and started it again; that somebody are we. */
    async "sync-error"({ index, forMs }) {
      const node = nodes[index]!;
      const mend = await giveBadDisk(pidOf(node), BAD_DISKS["sync-error"]);
      await delay(forMs);
      const hasFailed = await patiently(() => hasDiskErrors(database, node), NOTICED_MS);
      await mend();
      await node.kill();
      if (!hasFailed) throw new Skipped("nothing was written meanwhile");
    },
    /** What cannot be read is set aside, and so must not be the last of its kind. */
    async "read-error"({ index, forMs }) {
      await copies.requireOthers(index);
      await withBadDisk(nodes[index]!, "read-error", forMs);
    },
    "slow-disk": ({ index, forMs }) => withBadDisk(nodes[index]!, "slow-disk", forMs),
    /** What it said it has synced is lost with its power: of these chunks the others' copies are left. */
    async "lying-disk"({ index, forMs }) {
      await copies.requireOthers(index);
      const mend = await giveBadDisk(pidOf(nodes[index]!), BAD_DISKS["lying-disk"]);
      await delay(forMs);
      await freeze(nodes[index]!);
      loopDisks[index]!.cutPower();
      await unplugged(
        nodes[index]!.process,
        0,
        () => loopDisks[index]!.unmount(),
        () => loopDisks[index]!.mount(),
      );
      await mend();
    },
    /** Frozen first: a process that still ran would meet a broken disk, and that is another fault. */
    async "power-cut-node"({ index, forMs }) {
      const disk = loopDisks[index]!;
      await freeze(nodes[index]!);
      disk.cutPower();
      await unplugged(
        nodes[index]!.process,
        forMs,
        () => disk.unmount(),
        () => disk.mount(),
      );
    },
    async "fill-disk"({ index, forMs }) {
      const free = loopDisks[index]!.fill(FULL_BYTES_LEFT);
      await delay(forMs);
      free();
    },
  } satisfies Partial<Record<FaultKind, Effect>>;
}

/** From what a signature allows for to what a forgotten time zone does. */
const JUMPS_SECONDS = [20, 120, 3_600, 6 * 3_600];

function clockEffects({ victims: { nodes, gateway, controllers }, clocks, random }: EffectParts) {
  const wrong = async ({ name }: Victim, forMs: number): Promise<void> => {
    const set = clocks!.jump(name, random.pick(JUMPS_SECONDS) * random.pick([1, -1]));
    await delay(forMs);
    set();
  };
  return {
    "clock-node": ({ index, forMs }) => wrong(nodes[index]!, forMs),
    "clock-gateway": ({ forMs }) => wrong(gateway, forMs),
    "clock-controller": ({ forMs }) => wrong(controllers[0]!, forMs),
  } satisfies Partial<Record<FaultKind, Effect>>;
}

async function withBadDisk(node: NodeVictim, how: keyof typeof BAD_DISKS, forMs: number): Promise<void> {
  const mend = await giveBadDisk(pidOf(node), BAD_DISKS[how]);
  await delay(forMs);
  await mend();
}

async function hasDiskErrors({ pool }: Pick<Database, "pool">, { id }: NodeVictim): Promise<boolean> {
  const { rowCount } = await pool.query("SELECT FROM node WHERE id = $1 AND disk_errors > 0", [id]);
  return rowCount === 1;
}

function pidOf({ name, pid }: Victim): number {
  if (pid === undefined) throw new Skipped(`${name} was not running`);
  return pid;
}

function skipped(error: unknown): never {
  throw new Skipped(String(error)); // the console has its own bad moments
}

async function frozen(victim: Victim, forMs: number): Promise<void> {
  const thaw = await freeze(victim);
  await delay(forMs);
  thaw();
}

async function unplugged(
  node: TestCluster["nodes"][number],
  forMs: number,
  whenDown: () => void = () => undefined,
  beforeUp: () => void = () => undefined,
): Promise<void> {
  await node.unplug();
  whenDown();
  await delay(forMs);
  beforeUp();
  await node.start();
}

async function cut(port: number, direction: Direction, forMs: number): Promise<void> {
  const mend = cutPort(port, direction);
  await delay(forMs);
  mend();
}
