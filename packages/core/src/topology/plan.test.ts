import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChunkId, chunkIdOf } from "../chunking/index.ts";
import { GiB } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { placementPolicies, type PlacementPolicy } from "../placement/index.ts";
import { nodeSnapshot as node } from "../testing/index.ts";
import type { MoveScope, TopologyView } from "./change.ts";
import { checkMoves } from "./check-moves.ts";
import type { ChunkRow } from "./homes.ts";
import { createMovePlanner, type Move } from "./plan.ts";

const chunk = (number: number, replicas: readonly number[], length = 1_000): ChunkRow => ({
  id: chunkIdOf(Buffer.from(String(number))) satisfies ChunkId,
  length,
  replicas,
});
const cluster = (size: number, changes: Partial<NodeSnapshot> = {}): NodeSnapshot[] =>
  Array.from({ length: size }, (_, index) => node(index + 1, changes));
const view = (nodes: readonly NodeSnapshot[], replicas = 3, policy: PlacementPolicy = "rendezvous"): TopologyView => ({
  nodes,
  settings: { replicas, policy, writeQuorum: 2 },
});
const changed = (nodes: readonly NodeSnapshot[], id: number, changes: Partial<NodeSnapshot>): NodeSnapshot[] =>
  nodes.map((one) => (one.id === id ? { ...one, ...changes } : one));
const plan = (shape: TopologyView, scope: MoveScope, row: ChunkRow) => createMovePlanner(shape, scope, new Map())(row);
const after = (row: ChunkRow, moves: readonly Move[]): ChunkRow => ({
  ...row,
  replicas: moves.reduce<number[]>(
    (replicas, { to, drop }) => [...replicas.filter((id) => id !== drop?.id), ...(to === undefined ? [] : [to.id])],
    [...row.replicas],
  ),
});

describe("a drain", () => {
  it("moves only the copies of the node that is emptied, each once", () => {
    const nodes = changed(cluster(6), 4, { intent: "draining" });
    const { moves } = plan(view(nodes), { kind: "drain", nodeId: 4 }, chunk(1, [1, 4, 5]));
    expect(moves.map(({ drop }) => drop?.id)).toEqual([4]);
    expect([2, 3, 6]).toContain(moves[0]!.to?.id);
    expect(plan(view(nodes), { kind: "drain", nodeId: 4 }, chunk(1, [1, 2, 3])).moves).toEqual([]);
  });

  it("keeps copies in different zones: the new one goes where none is", () => {
    const zones = ["a", "a", "b", "b", "c", "c"];
    const nodes = changed(
      cluster(6).map((one, index) => ({ ...one, zone: zones[index]! })),
      5,
      { intent: "draining" },
    );
    for (let number = 0; number < 50; number++)
      expect(plan(view(nodes), { kind: "drain", nodeId: 5 }, chunk(number, [1, 3, 5])).moves[0]!.to?.id).toBe(6);
  });

  it("takes the next best node where the best is down, suspect, slow, full or without room", () => {
    const base = changed(cluster(5), 3, { intent: "draining" });
    for (const changes of [
      { health: "down" },
      { health: "suspect" },
      { health: "slow" },
      { writable: false },
      { freeBytes: 10 },
    ] satisfies Partial<NodeSnapshot>[]) {
      const nodes = changed(base, 4, changes);
      expect(plan(view(nodes), { kind: "drain", nodeId: 3 }, chunk(1, [1, 2, 3])).moves[0]!.to?.id).toBe(5);
    }
  });

  it("says in words what is missing when no node is left for a copy", () => {
    const nodes = changed(cluster(3), 3, { intent: "draining" });
    const { moves, blocked } = plan(view(nodes), { kind: "drain", nodeId: 3 }, chunk(1, [1, 2, 3]));
    expect([moves, blocked]).toEqual([[], "2 nodes would be left for 3 copies: add a node or lower the number of copies."]);
    const full = changed(changed(cluster(4), 3, { intent: "draining" }), 4, { writable: false });
    expect(plan(view(full), { kind: "drain", nodeId: 3 }, chunk(1, [1, 2, 3])).blocked).toBe("node-4 (full) cannot take copies now.");
  });
});

describe("a spread", () => {
  it("waits for the home that is down and moves the copy to nobody else", () => {
    const nodes = cluster(5);
    const rows = Array.from({ length: 200 }, (_, number) => chunk(number, [1, 2, 3]));
    const waiting = changed(nodes, 5, { health: "down" });
    for (const row of rows) {
      const wanted = plan(view(nodes), { kind: "spread" }, row).moves.map(({ to }) => to?.id);
      const moved = plan(view(waiting), { kind: "spread" }, row).moves.map(({ to }) => to?.id);
      expect(moved).toEqual(wanted.filter((id) => id !== 5));
      expect(plan(view(waiting), { kind: "spread" }, row).blocked !== "").toBe(wanted.includes(5));
    }
  });

  it("leaves the homes of a node in maintenance alone", () => {
    const nodes = cluster(4);
    const away = changed(nodes, 2, { intent: "maintenance", health: "down" });
    for (let number = 0; number < 100; number++) {
      const home = after(chunk(number, [1, 2, 3]), plan(view(nodes), { kind: "spread" }, chunk(number, [1, 2, 3])).moves);
      expect(plan(view(away), { kind: "spread" }, home).moves).toEqual([]);
    }
  });

  it("by load, takes from nodes that hold more than their share, and from no others", () => {
    const crowded = Array.from({ length: 90 }, (_, number) => chunk(number, [1, 2, 3]));
    const roomy = Array.from({ length: 10 }, (_, number) => chunk(1_000 + number, [4, 5, 6]));
    const planner = createMovePlanner(view(cluster(7), 3, "least-loaded"), { kind: "spread" }, heldBy([...roomy, ...crowded]));
    expect(roomy.flatMap((row) => planner(row).moves)).toEqual([]);
    expect(crowded.flatMap((row) => planner(row).moves).length).toBeGreaterThan(100 / 2);
  });

  it("makes nothing that is merely missing: that is repair's", () => {
    expect(plan(view(cluster(3)), { kind: "spread" }, chunk(1, [1])).moves).toEqual([]);
  });
});

describe("whatever the nodes, the policy and the change", () => {
  const shape = fc.record({
    zone: fc.constantFrom("a", "b", "c"),
    health: fc.constantFrom("up", "up", "slow", "suspect", "down" as const),
    intent: fc.constantFrom("active", "active", "draining", "maintenance", "removed" as const),
    writable: fc.boolean(),
    weight: fc.constantFrom(0.5, 1, 2),
    freeBytes: fc.constantFrom(0, 500, GiB),
  });
  const anything = fc.record({
    shapes: fc.array(shape, { minLength: 1, maxLength: 9 }),
    policy: fc.constantFrom(...placementPolicies),
    scope: fc.oneof(
      fc.record({ kind: fc.constantFrom("drain", "remove" as const), nodeId: fc.integer({ min: 1, max: 9 }) }),
      fc.constant({ kind: "spread" as const }),
    ),
    wanted: fc.integer({ min: 1, max: 4 }),
    rows: fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 5 }), { maxLength: 20 }),
  });

  it("no plan gives up a copy that would be missed, and every plan comes to an end", () => {
    fc.assert(
      fc.property(anything, ({ shapes, policy, scope, wanted, rows }) => {
        const nodes = shapes.map((changes, index) => node(index + 1, changes));
        const members = new Set(nodes.filter(({ intent }) => intent === "active" || intent === "maintenance").map(({ id }) => id));
        const staying = (row: ChunkRow): number => row.replicas.filter((id) => members.has(id)).length;
        let chunks = rows.map((replicas, number) => chunk(number, replicas));
        for (let pass = 0; pass < 40; pass++) {
          const planner = createMovePlanner(view(nodes, wanted, policy), scope, heldBy(chunks));
          chunks = chunks.map((row) => {
            const then = after(row, planner(row).moves);
            expect(staying(then)).toBeGreaterThanOrEqual(Math.min(wanted, staying(row)));
            expect(new Set(then.replicas).size).toBe(then.replicas.length);
            return then;
          });
        }
        const settled = createMovePlanner(view(nodes, wanted, policy), scope, heldBy(chunks));
        expect(chunks.flatMap((row) => settled(row).moves)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

function heldBy(chunks: readonly ChunkRow[]): Map<number, number> {
  const held = new Map<number, number>();
  for (const { replicas, length } of chunks) for (const id of replicas) held.set(id, (held.get(id) ?? 0) + length);
  return held;
}

describe("the check of moves", () => {
  const nodes = changed(cluster(5), 4, { intent: "draining" });
  const row = chunk(1, [1, 2, 4]);
  const [one, two, three, four] = nodes as [NodeSnapshot, NodeSnapshot, NodeSnapshot, NodeSnapshot];
  const broken: [string, Move[], string][] = [
    ["a second copy on one node", [{ chunk: row, to: two, drop: four, why: "" }], "second copy"],
    ["a copy on a node that is leaving", [{ chunk: chunk(1, [1, 2, 3]), to: four, drop: one, why: "" }], "leaving"],
    ["giving up what is not there", [{ chunk: row, to: three, drop: nodes[4]!, why: "" }], "not there"],
    ["one copy too few", [{ chunk: row, drop: one, why: "" }], "fewer copies than wanted"],
  ];
  it.each(broken)("refuses %s", (_, moves, fault) => {
    expect(() => checkMoves(moves, moves[0]!.chunk, view(nodes))).toThrow(fault);
  });
});
