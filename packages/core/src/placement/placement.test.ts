import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkIdOf } from "../chunking/index.ts";
import { GiB } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { nodeSnapshot as node } from "../testing/index.ts";
import { checkPlacement, choosePlacement, type Placement } from "./index.ts";

const CHUNKS = 20_000;

const cluster = (size: number): NodeSnapshot[] => Array.from({ length: size }, (_, index) => node(index + 1));
const chunk = (number: number) => chunkIdOf(Buffer.from(String(number)));
const ids = (nodes: readonly NodeSnapshot[]): number[] => nodes.map(({ id }) => id);

/** How many of the chunks each node would hold. */
function load(nodes: readonly NodeSnapshot[], count: number): Map<number, number> {
  const held = new Map<number, number>();
  for (let number = 0; number < CHUNKS; number++) {
    for (const { id } of choosePlacement(chunk(number), nodes, count).nodes) held.set(id, (held.get(id) ?? 0) + 1);
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

describe("the check of a placement", () => {
  const anyNode = fc.record({
    health: fc.constantFrom("up", "slow", "suspect", "down" as const),
    intent: fc.constantFrom("active", "draining" as const),
    writable: fc.boolean(),
    zone: fc.constantFrom("a", "b", "c"),
    capacityBytes: fc.integer({ min: 0, max: 10 }),
  });

  it("accepts what is chosen from any cluster", () => {
    fc.assert(
      fc.property(fc.array(anyNode, { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), fc.nat(), (shapes, count, number) => {
        const nodes = shapes.map((shape, index) => node(index + 1, shape as Partial<NodeSnapshot>));
        const placement = choosePlacement(chunk(number), nodes, count);
        expect(placement.nodes.length).toBe(Math.min(count, placement.why.eligible));
      }),
    );
  });

  const nodes = [node(1, { zone: "a" }), node(2, { zone: "a" }), node(3, { zone: "b" }), node(4, { health: "down" })];
  const why: Placement["why"] = { policy: "rendezvous", eligible: 3, refused: [] };
  const broken: [string, NodeSnapshot[], NodeSnapshot[], string][] = [
    ["two copies on one disk", [nodes[0]!, nodes[0]!], [nodes[2]!], "named twice"],
    ["a copy on a node that is down", [nodes[0]!, nodes[3]!], [nodes[2]!], "takes no chunks"],
    ["a copy too few", [nodes[0]!], [nodes[1]!, nodes[2]!], "fewer or more"],
    ["both copies in one zone beside an empty one", [nodes[0]!, nodes[1]!], [nodes[2]!], "one zone"],
  ];
  it.each(broken)("refuses %s", (_, chosen, fallbacks, fault) => {
    expect(() => checkPlacement({ nodes: chosen, fallbacks, why }, nodes, 2)).toThrow(fault);
  });
});
