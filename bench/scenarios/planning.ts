import { randomBytes } from "node:crypto";
import type { ChunkId } from "@holdfast/core/chunking";
import { planChunk } from "@holdfast/core/healing";
import { GiB, limits } from "@holdfast/core/kernel";
import type { NodeSnapshot } from "@holdfast/core/membership";
import { choosePlacement, createPlacer, type PlacementPolicy, placementPolicies } from "@holdfast/core/placement";
import { createMovePlanner } from "@holdfast/core/topology";
import { MB, type Row, type Target } from "../report/row.ts";
import type { PureScenario } from "../scenario.ts";

const COPIES = limits.replicas;
const CHUNK_BYTES = limits.chunkBytesMax;
const JOINING_CHUNKS = 200_000;
const NODES = 1_000;
const CHUNKS = 10_000_000;
const BATCH = 10_000;

/**
 * What deciding costs, without any byte moved: placements, the moves when a node joins, and a whole plan for a cluster of a
 * thousand nodes and ten million chunks. One core, no database; the rows are made up as they are needed. Times are CPU
 * time of this process alone, whatever else the machine does.
 */
export const planning: PureScenario = {
  number: 13,
  name: "planning",
  title: "placement and plans, CPU of one core",
  kind: "pure",
  measure() {
    return Promise.resolve([
      ...[6, 100, NODES].flatMap((nodes) => placementPolicies.flatMap((policy) => measurePlacement(policy, nodes))),
      ...measureLargePlan(),
      measureRepairPlan(),
      ...placementPolicies.flatMap(measureJoining),
    ]);
  },
};

function measurePlacement(policy: PlacementPolicy, nodeCount: number): Row[] {
  const nodes = cluster(nodeCount);
  const placer = createPlacer(nodes, policy);
  const choose = fastest(BATCH * 4, (id) => placer.choose(id, COPIES));
  const place = fastest(BATCH / 10, (id) => choosePlacement(id, nodes, COPIES, policy));
  const targets: Target[] = nodeCount <= 100 ? [{ of: "value", atMost: 10 }] : [];
  return [
    row(`${policy}, ${nodeCount} nodes: to choose ${COPIES}`, "µs", choose, targets),
    row(`${policy}, ${nodeCount} nodes: with all that may stand in`, "µs", place),
  ];
}

/** The best of several rounds, in microseconds: the others were disturbed, or not compiled yet. */
function fastest(count: number, work: (id: ChunkId) => unknown): number {
  const ids = Array.from({ length: count }, chunkId);
  const rounds = Array.from({ length: 5 }, () => cpuMicros(() => ids.forEach(work)) / count);
  return Math.min(...rounds);
}

function cpuMicros(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** A sixth node joins five. */
function measureJoining(policy: PlacementPolicy): Row[] {
  const five = createPlacer(cluster(5), policy);
  const rows = Array.from({ length: JOINING_CHUNKS }, chunkId).map((id) => {
    const replicas = five.choose(id, COPIES).map((node) => node.id);
    return { id, length: CHUNK_BYTES, replicas };
  });
  const chunksOn = new Map<number, number>();
  const count = (nodeId: number, by: number): void => void chunksOn.set(nodeId, (chunksOn.get(nodeId) ?? 0) + by);
  for (const { replicas } of rows) for (const id of replicas) count(id, 1);

  const heldBytes = new Map([...chunksOn].map(([id, chunks]) => [id, chunks * CHUNK_BYTES]));
  const plan = spreadPlanner(cluster(6), policy, heldBytes);
  let moved = 0;
  for (const chunk of rows) {
    for (const { to, drop } of plan(chunk).moves) {
      if (to !== undefined) count(to.id, 1);
      if (drop !== undefined) count(drop.id, -1);
      moved++;
    }
  }
  const share = (JOINING_CHUNKS * COPIES) / 6;
  return [
    row(`${policy}, a sixth node: moved ÷ a sixth of all`, "×", moved / share, [{ of: "value", atMost: 1.02 }]),
    row(`${policy}, a sixth node: fullest ÷ mean`, "×", Math.max(...chunksOn.values()) / share, [{ of: "value", atMost: 1.01 }]),
  ];
}

/** Rows come in pages, as from the database, and are gone with them. */
function measureLargePlan(): Row[] {
  const before = createPlacer(cluster(NODES), "rendezvous");
  const plan = spreadPlanner(cluster(NODES + 1), "rendezvous", new Map());
  let moves = 0;
  let micros = 0;
  const residentBefore = process.memoryUsage.rss();
  let resident = residentBefore;
  for (let from = 0; from < CHUNKS; from += BATCH) {
    const page = Array.from({ length: BATCH }, chunkId).map((id) => {
      const replicas = before.choose(id, COPIES).map((node) => node.id);
      return { id, length: CHUNK_BYTES, replicas };
    });
    micros += cpuMicros(() => {
      for (const chunk of page) moves += plan(chunk).moves.length;
    });
    resident = Math.max(resident, process.memoryUsage.rss());
  }
  const name = `a node joins ${NODES.toLocaleString("en")}, ${CHUNKS.toLocaleString("en")} chunks`;
  return [
    row(`${name}: planned in`, "s", micros / 1e6),
    row(`${name}: moved ÷ minimum`, "×", moves / ((CHUNKS * COPIES) / (NODES + 1)), [{ of: "value", atMost: 1.02 }]),
    row(`${name}: memory beyond before`, "MB", (resident - residentBefore) / MB, [{ of: "value", atMost: 100 }]),
  ];
}

/** One of the thousand is dead: each of its chunks needs a copy elsewhere. */
function measureRepairPlan(): Row {
  const nodes = cluster(NODES).map((node) => (node.id === 1 ? { ...node, health: "down" as const } : node));
  const placer = createPlacer(cluster(NODES), "rendezvous");
  const terms = { wanted: COPIES };
  const others = (id: ChunkId): number[] => placer.choose(id, COPIES - 1).map((node) => node.id);
  const micros = fastest(BATCH / 10, (id) =>
    planChunk({ id, length: CHUNK_BYTES, replicas: [1, ...others(id)], state: "live" }, nodes, terms),
  );
  const chunks = (CHUNKS * COPIES) / NODES;
  return row(`one of ${NODES.toLocaleString("en")} dies, ${chunks.toLocaleString("en")} chunks: planned in`, "s", (micros * chunks) / 1e6);
}

function spreadPlanner(nodes: readonly NodeSnapshot[], policy: PlacementPolicy, heldBytes: ReadonlyMap<number, number>) {
  return createMovePlanner({ nodes, settings: { replicas: COPIES, policy, writeQuorum: 2 } }, { kind: "spread" }, heldBytes);
}

function chunkId(): ChunkId {
  return randomBytes(8).toString("hex").padEnd(64, "0") as ChunkId;
}

function cluster(size: number): NodeSnapshot[] {
  return Array.from({ length: size }, (_, index) => ({
    id: index + 1,
    name: `node-${index + 1}`,
    host: "127.0.0.1",
    port: 7_101 + index,
    zone: "default",
    health: "up",
    intent: "active",
    writable: true,
    capacityBytes: 4_000 * GiB,
    freeBytes: 4_000 * GiB,
    weight: 1,
    device: "",
    healthChangedAt: new Date(0),
    maintenanceUntil: null,
  }));
}

function row(name: string, unit: string, value: number, targets: Target[] = []): Row {
  return { name, unit, values: [value], targets };
}
