import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkIdOf } from "../chunking/index.ts";
import { GiB } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { nodeSnapshot as node } from "../testing/index.ts";
import { checkPlacement, choosePlacement, createPlacer, type Placement, type PlacementPolicy, placementPolicies } from "./index.ts";

const CHUNKS = 20_000;

const cluster = (size: number): NodeSnapshot[] => Array.from({ length: size }, (_, index) => node(index + 1));
const chunk = (number: number) => chunkIdOf(Buffer.from(String(number)));
const ids = (nodes: readonly NodeSnapshot[]): number[] => nodes.map(({ id }) => id);

/** How many of the chunks each node would hold. */
function load(nodes: readonly NodeSnapshot[], count: number, policy?: PlacementPolicy): Map<number, number> {
  const held = new Map<number, number>();
  for (let number = 0; number < CHUNKS; number++) {
    for (const { id } of choosePlacement(chunk(number), nodes, count, policy).nodes) held.set(id, (held.get(id) ?? 0) + 1);
  }
  return held;
}

describe("where a chunk goes", () => {
  it("is the same for every gateway, in whatever order it knows the nodes", () => {
    const nodes = cluster(7);
    const here = choosePlacement(chunk(1), nodes, 3);
    const there = choosePlacement(chunk(1), nodes.toReversed(), 3);
    expect(ids(there.nodes)).toEqual(ids(here.nodes));
    expect(ids(there.fallbacks)).toEqual(ids(here.fallbacks));
  });

  it("follows capacity: a disk twice as big holds twice as much", () => {
    const held = load([node(1), node(2), node(3, { capacityBytes: 200 * GiB })], 1);
    expect(held.get(3)! / held.get(1)!).toBeCloseTo(2, 0);
    expect(held.get(1)! / held.get(2)!).toBeCloseTo(1, 0);
  });

  it("moves only the newcomer's share when a sixth node joins five", () => {
    const before = cluster(5);
    const after = cluster(6);
    let moved = 0;
    for (let number = 0; number < CHUNKS; number++) {
      const old = ids(choosePlacement(chunk(number), before, 3).nodes);
      moved += ids(choosePlacement(chunk(number), after, 3).nodes).filter((id) => !old.includes(id)).length;
    }
    expect(moved / (CHUNKS * 3)).toBeCloseTo(1 / 6, 2);
  });

  it("spreads three copies over three zones, though one zone has most of the room", () => {
    const nodes = [
      node(1, { zone: "a", capacityBytes: 900 * GiB }),
      node(2, { zone: "a", capacityBytes: 900 * GiB }),
      node(3, { zone: "b" }),
      node(4, { zone: "c" }),
    ];
    for (let number = 0; number < 100; number++) {
      const zones = choosePlacement(chunk(number), nodes, 3).nodes.map(({ zone }) => zone);
      expect(new Set(zones).size).toBe(3);
    }
  });

  it("with two zones, puts two copies in one and one in the other", () => {
    const nodes = [1, 2, 3, 4].map((id) => node(id, { zone: id < 3 ? "a" : "b" }));
    const zones = choosePlacement(chunk(5), nodes, 3).nodes.map(({ zone }) => zone);
    expect(new Set(zones).size).toBe(2);
  });

  it("takes two nodes of one disk only when there are not enough disks", () => {
    const nodes = [
      node(1, { device: "shared", capacityBytes: 900 * GiB }),
      node(2, { device: "shared", capacityBytes: 900 * GiB }),
      node(3),
      node(4),
      node(5, { device: "" }),
      node(6, { device: "" }),
    ];
    for (let number = 0; number < 100; number++) {
      expect(ids(choosePlacement(chunk(number), nodes, 3).nodes).filter((id) => id < 3).length).toBeLessThan(2);
      expect(ids(choosePlacement(chunk(number), nodes.slice(0, 3), 2).nodes)).toContain(3);
      expect(choosePlacement(chunk(number), nodes.slice(0, 3), 3).nodes).toHaveLength(3);
    }
  });

  it("avoids what is down, suspect, leaving or full, and says why", () => {
    const nodes = [
      node(1),
      node(2, { health: "down" }),
      node(3, { health: "suspect" }),
      node(4, { intent: "draining" }),
      node(5, { intent: "maintenance" }),
      node(6, { writable: false }),
    ];
    const placement = choosePlacement(chunk(1), nodes, 3);
    expect(ids(placement.nodes)).toEqual([1]);
    expect(placement.why.refused.map(({ node, reason }) => [node.id, reason])).toEqual([
      [2, "down"],
      [3, "suspect"],
      [4, "draining"],
      [5, "maintenance"],
      [6, "not-writable"],
    ]);
  });

  it("takes a slow node only when there are not enough others", () => {
    const nodes = [node(1, { health: "slow", capacityBytes: 900 * GiB }), node(2), node(3), node(4)];
    for (let number = 0; number < 50; number++) {
      expect(ids(choosePlacement(chunk(number), nodes, 3).nodes)).not.toContain(1);
      expect(ids(choosePlacement(chunk(number), nodes.slice(0, 3), 3).nodes)).toContain(1);
    }
  });
});

describe("whichever the policy", () => {
  const policy = fc.constantFrom(...placementPolicies);
  const steady = fc.constantFrom("rendezvous" as const, "ring" as const);
  const count = fc.integer({ min: 1, max: 5 });
  const shapes = (sizes: { minLength?: number; maxLength: number }) =>
    fc.array(
      fc.record({
        zone: fc.constantFrom("a", "b", "c", "d"),
        device: fc.constantFrom("", "", "one disk", "another"),
        health: fc.constantFrom("up", "up", "slow" as const),
        capacityBytes: fc.integer({ min: 1, max: 10 }).map((tens) => tens * 10 * GiB),
        freeBytes: fc.integer({ min: 0, max: 10 }).map((gibibytes) => gibibytes * GiB),
        weight: fc.constantFrom(0.5, 1, 1, 2),
      }),
      sizes,
    );
  const numbered = (list: readonly Partial<NodeSnapshot>[]): NodeSnapshot[] => list.map((shape, index) => node(index + 1, shape));

  it("the few that are chosen are the first of the whole order, in a cluster of ten and of hundreds", () => {
    fc.assert(
      fc.property(policy, shapes({ maxLength: 120 }), count, fc.nat(), (policy, list, count, number) => {
        const placer = createPlacer(numbered(list), policy);
        const first = ids(placer.order(chunk(number)).slice(0, count));
        expect(new Set(ids(placer.choose(chunk(number), count)))).toEqual(new Set(first));
        expect(ids(placer.first(chunk(number), count))).toEqual(first);
      }),
    );
  });

  it("who comes where does not depend on the order in which the nodes are known", () => {
    fc.assert(
      fc.property(policy, shapes({ maxLength: 60 }), fc.nat(), (policy, list, number) => {
        const nodes = numbered(list);
        const there = createPlacer(nodes.toReversed(), policy).order(chunk(number));
        expect(ids(there)).toEqual(ids(createPlacer(nodes, policy).order(chunk(number))));
      }),
    );
  });

  it("copies are on different nodes, and in as many zones as there are", () => {
    fc.assert(
      fc.property(policy, shapes({ minLength: 1, maxLength: 40 }), count, fc.nat(), (policy, list, count, number) => {
        const nodes = numbered(list.map((shape) => ({ ...shape, health: "up" })));
        const chosen = createPlacer(nodes, policy).choose(chunk(number), count);
        const zones = new Set(nodes.map(({ zone }) => zone)).size;
        expect(new Set(ids(chosen)).size).toBe(Math.min(count, nodes.length));
        expect(new Set(chosen.map(({ zone }) => zone)).size).toBe(Math.min(count, zones));
      }),
    );
  });

  it("a node that joins takes copies and passes none around; one that leaves gives up its own and no other", () => {
    fc.assert(
      fc.property(steady, shapes({ minLength: 1, maxLength: 40 }), count, fc.nat(), (policy, list, count, number) => {
        const after = numbered(list.map((shape) => ({ ...shape, health: "up" })));
        const newcomer = after.at(-1)!;
        const before = new Set(ids(createPlacer(after.slice(0, -1), policy).choose(chunk(number), count)));
        const added = ids(createPlacer(after, policy).choose(chunk(number), count)).filter((id) => !before.has(id));
        expect([[], [newcomer.id]]).toContainEqual(added);
      }),
    );
  });

  it.each(placementPolicies)("%s: twice the weight holds twice as much", (policy) => {
    const nodes = [node(1), node(2, { weight: 2 }), node(3)].map((one) => ({ ...one, freeBytes: one.capacityBytes }));
    const held = load(nodes, 1, policy);
    expect(held.get(2)! / CHUNKS).toBeGreaterThan(0.44);
    expect(held.get(2)! / CHUNKS).toBeLessThan(0.56);
  });
});

describe("the ring", () => {
  it("spreads over six nodes within a seventh of even, with 150 points each", () => {
    const shares = [...load(cluster(6), 3, "ring").values()].map((held) => held / (CHUNKS / 2));
    expect(Math.max(...shares)).toBeLessThan(1.15);
    expect(Math.min(...shares)).toBeGreaterThan(0.85);
  });

  it("looks at no capacity", () => {
    const big = cluster(6).map((one) => (one.id === 1 ? { ...one, capacityBytes: 900 * GiB } : one));
    expect(load(big, 3, "ring")).toEqual(load(cluster(6), 3, "ring"));
  });
});

describe("the least loaded", () => {
  it("is the one with the most of its disk free, whatever the disk's size", () => {
    const nodes = [
      node(1, { freeBytes: 50 * GiB }),
      node(2, { capacityBytes: 20 * GiB, freeBytes: 15 * GiB }),
      node(3, { freeBytes: 60 * GiB }),
    ];
    expect(ids(choosePlacement(chunk(1), nodes, 3, "least-loaded").nodes)).toEqual([2, 3, 1]);
  });

  it("is not the same for every chunk until the next heartbeat: alike within a hundredth, they take turns", () => {
    const nodes = cluster(4).map((one, index) => ({ ...one, freeBytes: one.capacityBytes - index * 0.2 * GiB }));
    const held = load(nodes, 1, "least-loaded");
    for (const { id } of nodes) expect(held.get(id)! / (CHUNKS / 4)).toBeCloseTo(1, 0);
  });
});

describe("the check of a placement", () => {
  const anyNode = fc.record({
    health: fc.constantFrom("up", "slow", "suspect", "down" as const),
    intent: fc.constantFrom("active", "draining" as const),
    writable: fc.boolean(),
    zone: fc.constantFrom("a", "b", "c"),
    device: fc.constantFrom("", "one disk", "another"),
    capacityBytes: fc.integer({ min: 0, max: 10 }),
  });

  it("accepts what any policy chooses from any cluster", () => {
    const policy = fc.constantFrom(...placementPolicies);
    const anyCluster = fc.array(anyNode, { maxLength: 12 });
    fc.assert(
      fc.property(policy, anyCluster, fc.integer({ min: 1, max: 5 }), fc.nat(), (policy, shapes, count, number) => {
        const nodes = shapes.map((shape, index) => node(index + 1, shape as Partial<NodeSnapshot>));
        const placement = choosePlacement(chunk(number), nodes, count, policy);
        expect(placement.nodes.length).toBe(Math.min(count, placement.why.eligible));
      }),
    );
  });

  const nodes = [node(1, { zone: "a" }), node(2, { zone: "a" }), node(3, { zone: "b" }), node(4, { health: "down" })];
  const shared = [node(1, { device: "disk" }), node(2, { device: "disk" }), node(3)];
  const why: Placement["why"] = { policy: "rendezvous", eligible: 3, refused: [] };
  const broken: [string, NodeSnapshot[], NodeSnapshot[], string][] = [
    ["two copies on one disk", [nodes[0]!, nodes[0]!], [nodes[2]!], "named twice"],
    ["a copy on a node that is down", [nodes[0]!, nodes[3]!], [nodes[2]!], "takes no chunks"],
    ["a copy too few", [nodes[0]!], [nodes[1]!, nodes[2]!], "fewer or more"],
    ["both copies on one disk beside an empty one", [shared[0]!, shared[1]!], [shared[2]!], "one disk"],
    ["both copies in one zone beside an empty one", [nodes[0]!, nodes[1]!], [nodes[2]!], "one zone"],
  ];
  it.each(broken)("refuses %s", (_, chosen, fallbacks, fault) => {
    const everyone = chosen[1] === shared[1] ? shared : nodes;
    expect(() => checkPlacement({ nodes: chosen, fallbacks, why }, everyone, 2)).toThrow(fault);
  });
});
