/**
 * What deciding costs, without any byte moved: placements, the moves when a node joins, and a whole plan for a cluster of a
 * thousand nodes and ten million chunks. One core, no database; the rows are made up as they are needed.
 */
import { randomBytes } from "node:crypto";
import type { ChunkId } from "@holdfast/core/chunking";
import { planChunk } from "@holdfast/core/healing";
import { GiB, MiB } from "@holdfast/core/kernel";
import type { NodeSnapshot } from "@holdfast/core/membership";
import { choosePlacement, createPlacer, type PlacementPolicy, placementPolicies } from "@holdfast/core/placement";
import { createMovePlanner } from "@holdfast/core/topology";
import { MB } from "../measure.ts";

const COPIES = 3;
const CHUNK_BYTES = 4 * MiB;
const JOINING_CHUNKS = 200_000;
const NODES = 1_000;
const CHUNKS = 10_000_000;
const BATCH = 10_000;

export function planning(): void {
  console.log(`\nplacement of ${COPIES} copies, one core`);
  console.log(row("", "CPU µs to choose", "with all fallbacks"));
  for (const nodes of [6, 100, NODES]) for (const policy of placementPolicies) measurePlacement(policy, nodes);
  measureLargePlan();
  measureRepairPlan();
  console.log(`\na sixth node joins five, ${JOINING_CHUNKS.toLocaleString("en")} chunks`);
  console.log(row("", "moved ÷ minimum", "fullest ÷ mean"));
  for (const policy of placementPolicies) measureJoining(policy);
}

function measurePlacement(policy: PlacementPolicy, nodeCount: number): void {
  const nodes = cluster(nodeCount);
  const placer = createPlacer(nodes, policy);
  const choose = fastest(BATCH * 4, (id) => placer.choose(id, COPIES));
  const place = fastest(BATCH / 10, (id) => choosePlacement(id, nodes, COPIES, policy));
  console.log(row(`${policy}, ${nodeCount} nodes`, choose.toFixed(2), place.toFixed(1)));
}

/** The best of several rounds, in microseconds: the others were disturbed, or not compiled yet. */
function fastest(count: number, work: (id: ChunkId) => unknown): number {
  const ids = Array.from({ length: count }, chunkId);
  const rounds = Array.from({ length: 5 }, () => cpuMicros(() => ids.forEach(work)) / count);
  return Math.min(...rounds);
}

/** Of this process alone, whatever else the machine does. */
function cpuMicros(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function measureJoining(policy: PlacementPolicy): void {
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
  console.log(row(policy, (moved / share).toFixed(3), (Math.max(...chunksOn.values()) / share).toFixed(3)));
}

/** Rows come in pages, as from the database, and are gone with them. */
function measureLargePlan(): void {
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
  console.log(`\na node joins ${NODES.toLocaleString("en")}, ${CHUNKS.toLocaleString("en")} chunks`);
  console.log(`  planned in           ${(micros / 1e6).toFixed(0)} s of CPU, ${(micros / CHUNKS).toFixed(2)} µs a chunk`);
  console.log(`  moved ÷ minimum      ${(moves / ((CHUNKS * COPIES) / (NODES + 1))).toFixed(3)}`);
  console.log(`  memory               at most ${((resident - residentBefore) / MB).toFixed(0)} MB more than before`);
}

/** One of the thousand is dead: each of its chunks needs a copy elsewhere. */
function measureRepairPlan(): void {
  const nodes = cluster(NODES).map((node) => (node.id === 1 ? { ...node, health: "down" as const } : node));
  const placer = createPlacer(cluster(NODES), "rendezvous");
  const terms = { wanted: COPIES };
  const others = (id: ChunkId): number[] => placer.choose(id, COPIES - 1).map((node) => node.id);
  const micros = fastest(BATCH / 10, (id) =>
    planChunk({ id, length: CHUNK_BYTES, replicas: [1, ...others(id)], state: "live" }, nodes, terms),
  );
  const chunks = (CHUNKS * COPIES) / NODES;
  console.log(`\none of ${NODES.toLocaleString("en")} nodes dies: ${chunks.toLocaleString("en")} chunks need a copy`);
  console.log(`  planned in           ${((micros * chunks) / 1e6).toFixed(0)} s of CPU, ${micros.toFixed(0)} µs a chunk`);
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
    writeLatencyMs: 0,
    readLatencyMs: 0,
    healthChangedAt: new Date(0),
    maintenanceUntil: null,
  }));
}

function row(name: string, first: string, second: string): string {
  return `  ${name.padEnd(30)}${first.padStart(16)}${second.padStart(24)}`;
}
