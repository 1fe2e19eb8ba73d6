/**
 * Makes the planned faults happen, each in its turn, and none that would go beyond what is promised: no copy is destroyed
 * unless enough others of the same chunk lie whole on other disks, looked at by our own eyes.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { TestCluster } from "@holdfast/cluster/testing";
import { type ChunkId, chunkIdFromBytes } from "@holdfast/core/chunking";
import { MiB, unreachable } from "@holdfast/core/kernel";
import type { Database } from "@holdfast/db";
import type { Ledger } from "../ledger.ts";
import type { Measurements } from "../measurements.ts";
import type { Random } from "../random.ts";
import { describeFault, type FaultKind, type PlannedFault } from "../schedule.ts";
import type { NodeDisk } from "./chunk-files.ts";
import type { LoopDisk } from "./loop-disk.ts";
import { cutPort, type Direction } from "./network.ts";
import { freeze, kill, type Victim } from "./processes.ts";

/** Less than the reserve that the cluster is told to keep: the disk counts as full. */
const FULL_BYTES_LEFT = 24 * MiB;
/** A damaged copy may lie unseen for long, so two sound ones have to be left. A node that comes back empty is seen at once. */
const LEFT_BY_DAMAGE_MIN = 2;
const LEFT_BY_WIPE_MIN = 1;
const GUARD_PATIENCE_MS = 10_000;
const POLL_MS = 250;

export interface InjectorParts {
  cluster: TestCluster;
  database: Database;
  /** One for each node, in their order. */
  disks: readonly NodeDisk[];
  /** Likewise; empty when nodes share the machine's own disk. */
  loopDisks: readonly LoopDisk[];
  controllerPort: number;
  random: Random;
  ledger: Ledger;
  measurements: Measurements;
  say: (line: string) => void;
}

interface ChunkRow {
  id: ChunkId;
  length: number;
  replicas: number[];
}

/** Why a fault was left out. */
class Skipped extends Error {
  override readonly name = "Skipped";
}

export class Injector {
  readonly counts = new Map<FaultKind, number>();
  readonly skipped: string[] = [];
  readonly #parts: InjectorParts;
  /** Copies that we damaged, as "node index/chunk"; whether they are whole again is looked at each time. */
  readonly #damaged = new Set<string>();

  constructor(parts: InjectorParts) {
    this.#parts = parts;
  }

  /** One fault after the other; rejects only when the harness itself is at fault. */
  async run(plan: readonly PlannedFault[], signal: AbortSignal): Promise<void> {
    const startMs = performance.now();
    for (const fault of plan) {
      await delay(Math.max(0, fault.atMs - (performance.now() - startMs)), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      await this.#inject(fault);
      if (fault.node !== undefined) await this.untilNodesAnswer();
    }
  }

  /** Resolves when every node's own health page answers. */
  async untilNodesAnswer(): Promise<void> {
    const ports = await this.#nodePorts();
    await Promise.all(ports.map((port) => patiently(() => answers(`http://127.0.0.1:${port}/health`), 60_000)));
  }

  async #inject(fault: PlannedFault): Promise<void> {
    const { ledger, measurements, say } = this.#parts;
    const end = measurements.beginFault();
    ledger.note({ fault: describeFault(fault) });
    try {
      await this.#perform(fault);
      this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
      say(describeFault(fault));
    } catch (error) {
      if (!(error instanceof Skipped)) throw error;
      this.skipped.push(`${describeFault(fault)}: ${error.message}`);
    } finally {
      end();
    }
  }

  async #perform({ kind, node: index = 0, forMs }: PlannedFault): Promise<void> {
    const { cluster, controllerPort, loopDisks, disks } = this.#parts;
    const node = cluster.nodes[index]!;
    switch (kind) {
      case "kill-node":
        return await kill(node);
      case "kill-gateway":
        return await kill(cluster.drive);
      case "kill-controller":
        return await kill(cluster.console);
      case "kill-postgres":
        return await kill(cluster.postgres!);
      case "stop-node":
        return await this.#frozen(node, forMs);
      case "stop-controller":
        return await this.#frozen(cluster.console, forMs);
      case "stop-postgres":
        return await this.#frozen(cluster.postgres!, forMs);
      case "unplug-node":
        await node.unplug();
        await delay(forMs);
        return await node.start();
      case "flip-bit":
      case "truncate-chunk":
      case "swap-chunks":
        return await this.#corrupt(kind, index);
      case "wipe-node":
        await this.#requireOtherCopies(index);
        await node.unplug();
        disks[index]!.wipe();
        await delay(forMs);
        return await node.start();
      case "unreachable-node":
        return await this.#cut((await this.#nodePorts())[index]!, "to", forMs);
      case "mute-node":
        return await this.#cut((await this.#nodePorts())[index]!, "from", forMs);
      case "unreachable-controller":
        return await this.#cut(controllerPort, "to", forMs);
      case "unreachable-postgres":
        return await this.#cut(Number(new URL(cluster.databaseUrl).port), "to", forMs);
      case "power-cut-node":
        return await this.#cutPower(index, forMs);
      case "fill-disk": {
        const free = loopDisks[index]!.fill(FULL_BYTES_LEFT);
        await delay(forMs);
        return free();
      }
      default:
        return unreachable(kind);
    }
  }

  async #frozen(victim: Victim, forMs: number): Promise<void> {
    const thaw = await freeze(victim);
    await delay(forMs);
    thaw();
  }

  async #cut(port: number, direction: Direction, forMs: number): Promise<void> {
    const mend = cutPort(port, direction);
    await delay(forMs);
    mend();
  }

  /** Frozen first: a process that still ran would meet a broken disk, and that is another fault. */
  async #cutPower(index: number, forMs: number): Promise<void> {
    const { cluster, loopDisks } = this.#parts;
    const node = cluster.nodes[index]!;
    await freeze(node);
    loopDisks[index]!.cutPower();
    await node.unplug();
    loopDisks[index]!.unmount();
    await delay(forMs);
    loopDisks[index]!.mount();
    await node.start();
  }

  async #corrupt(kind: "flip-bit" | "truncate-chunk" | "swap-chunks", index: number): Promise<void> {
    const { disks, random } = this.#parts;
    const disk = disks[index]!;
    const chunks = await this.#chunksOf(index);
    for (let attempt = 0; attempt < 20 && chunks.length > 1; attempt += 1) {
      const chunk = random.pick(chunks);
      const other = random.pick(chunks);
      if (other.id === chunk.id || !disk.holdsWhole(chunk.id, chunk.length) || !disk.holdsWhole(other.id, other.length)) continue;
      if ((await this.#wholeElsewhere(chunk, index, true)) < LEFT_BY_DAMAGE_MIN) continue;
      this.#damaged.add(`${index}/${chunk.id}`);
      if (kind === "flip-bit") disk.flipBit(chunk.id, random.next());
      else if (kind === "truncate-chunk") disk.truncate(chunk.id, random.next());
      else disk.overwriteWith(chunk.id, other.id);
      return;
    }
    throw new Skipped("no chunk of it has two other whole copies");
  }

  /** Waits a while for it: repair may be under way. */
  async #requireOtherCopies(index: number): Promise<void> {
    const enough = await patiently(async () => {
      for (const chunk of await this.#chunksOf(index)) {
        if ((await this.#wholeElsewhere(chunk, index, false)) < LEFT_BY_WIPE_MIN) return false;
      }
      return true;
    }, GUARD_PATIENCE_MS);
    if (!enough) throw new Skipped("some chunk would be left without any copy");
  }

  /** `looking`: hash every copy; else only those that we have damaged, and believe the names of the rest. */
  async #wholeElsewhere({ id, length, replicas }: ChunkRow, index: number, looking: boolean): Promise<number> {
    const { disks } = this.#parts;
    const ids = await this.#nodeIds();
    const others = disks.filter((_, other) => other !== index && replicas.includes(ids[other]!));
    return others.filter((disk) => {
      const wasDamaged = this.#damaged.has(`${disks.indexOf(disk)}/${id}`);
      return looking || wasDamaged ? disk.holdsWhole(id, length) : disk.hasName(id);
    }).length;
  }

  async #chunksOf(index: number): Promise<ChunkRow[]> {
    const nodeId = (await this.#nodeIds())[index]!;
    const rows = await this.#ask<{ id: Buffer; length: number; replicas: number[] }>(
      "SELECT id, length, replicas FROM chunk WHERE state = 'live' AND $1 = ANY (replicas) ORDER BY id",
      [nodeId],
    );
    return rows.map((row) => ({ ...row, id: chunkIdFromBytes(row.id) }));
  }

  async #nodeIds(): Promise<number[]> {
    return (await this.#nodes()).map(({ id }) => id);
  }

  async #nodePorts(): Promise<number[]> {
    return (await this.#nodes()).map(({ port }) => port);
  }

  #known: { id: number; port: number }[] | undefined;
  async #nodes(): Promise<{ id: number; port: number }[]> {
    if (this.#known !== undefined) return this.#known;
    const rows = await this.#ask<{ id: number; name: string; port: number }>("SELECT id, name, port FROM node", []);
    this.#known = this.#parts.disks.map(({ name }) => rows.find((row) => row.name === name)!);
    return this.#known;
  }

  /** The database has its own bad moments. */
  async #ask<T extends object>(text: string, values: unknown[]): Promise<T[]> {
    let rows: T[] = [];
    const answered = await patiently(async () => {
      rows = (await this.#parts.database.pool.query<T>(text, values)).rows;
      return true;
    }, GUARD_PATIENCE_MS);
    if (!answered) throw new Skipped("the database did not answer for long");
    return rows;
  }
}

async function answers(url: string): Promise<boolean> {
  return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).status === 200;
}

/** True once `work` says so; false when the time is up first. What it throws counts as "not yet". */
async function patiently(work: () => Promise<boolean>, forMs: number): Promise<boolean> {
  const giveUp = performance.now() + forMs;
  for (;;) {
    if (await work().catch(() => false)) return true;
    if (performance.now() > giveUp) return false;
    await delay(POLL_MS);
  }
}
