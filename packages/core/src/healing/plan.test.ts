import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { chunkIdOf } from "../chunking/index.ts";
import { GiB, MiB } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { choosePlacement, crowdAround } from "../placement/index.ts";
import { nodeSnapshot as node } from "../testing/index.ts";
import { type ChunkFacts, type ChunkPlan, type HealingTerms, planChunk } from "./plan.ts";

const down = { health: "down" } as const;
const three: HealingTerms = { wanted: 3 };
const chunk = (replicas: number[], number = 1): ChunkFacts => ({
  id: chunkIdOf(Buffer.from(String(number))),
  length: 4 * MiB,
  replicas,
  state: "live",
});
const targets = (plan: ChunkPlan): number[] => plan.copies.map(({ to }) => to.id);
const given = (plan: ChunkPlan): number[] => plan.drops.map(({ node }) => node.id);

describe("a copy is missing", () => {
  test("one node of four is down: the fourth takes a copy from both that are left, and the plan says why", () => {
    const nodes = [node(1), node(2, down), node(3), node(4)];
    const plan = planChunk(chunk([1, 2, 3]), nodes, three);
    expect(plan).toMatchObject({ risk: "short", blockedCopies: 0, blocked: "", drops: [] });
    expect(plan.copies).toMatchObject([
      {
        from: [{ id: 1 }, { id: 3 }],
        to: { id: 4 },
        copiesLeft: 2,
        why: "node-4 takes a copy: node-2 is away, and two of three copies are within reach.",
      },
    ]);
  });

  test("one node of three is down: nobody can take a third copy, and the plan says what would help", () => {
    const plan = planChunk(chunk([1, 2, 3]), [node(1), node(2, down), node(3)], three);
    expect(plan).toMatchObject({ risk: "short", copies: [], drops: [], blockedCopies: 1 });
    expect(plan.blocked).toBe("no fourth node to take a third copy; it will be whole when node-2 is back, or add a node");
  });

  test("the fourth node is full: it is named", () => {
    const nodes = [node(1), node(2, down), node(3), node(4, { writable: false })];
    expect(planChunk(chunk([1, 2, 3]), nodes, three).blocked).toBe(
      "no fifth node to take a third copy (node-4 takes no more); it will be whole when node-2 is back, or add a node",
    );
  });

  test("while its node is awaited, nothing is copied; with one copy left nobody waits", () => {
    const nodes = [node(1), node(2, down), node(3, down), node(4), node(5)];
    const awaiting = { ...three, awaited: new Set([2, 3]) };
    expect(planChunk(chunk([1, 2, 4]), nodes, awaiting)).toMatchObject({ risk: "whole", copies: [] });
    const last = planChunk(chunk([1, 2, 3]), nodes, awaiting);
    expect(last.risk).toBe("last");
    expect(last.copies).toMatchObject([{ copiesLeft: 1 }]);
    expect(planChunk(chunk([1, 2, 3]), nodes, three).copies).toHaveLength(2);
  });

  test("a suspect node still counts: a hiccup copies nothing", () => {
    const plan = planChunk(chunk([1, 2, 3]), [node(1), node(2, { health: "suspect" }), node(3), node(4)], three);
    expect(plan).toMatchObject({ risk: "whole", copies: [], drops: [] });
  });

  test("no copy is within reach: the plan names who must come back", () => {
    const plan = planChunk(chunk([1, 2]), [node(1, down), node(2, down), node(3)], three);
    expect(plan).toMatchObject({ risk: "unreadable", copies: [], drops: [] });
    expect(plan.blocked).toBe("no copy is within reach: it can be read when one of node-1 and node-2 is back");
  });

  test("a node that refused a moment ago, and one without room, are passed over", () => {
    const nodes = [node(1), node(2), node(3, { freeBytes: MiB }), node(4), node(5)];
    for (let number = 0; number < 20; number++)
      expect(targets(planChunk(chunk([1, 2], number), nodes, { ...three, avoided: new Set([4]) }))).toEqual([5]);
  });

  test("a condemned chunk is nobody's loss", () => {
    expect(planChunk({ ...chunk([1]), state: "condemned" }, [node(1), node(2), node(3)], three)).toMatchObject({ copies: [], drops: [] });
  });
});

describe("disks fail as one", () => {
  const nodes = [1, 2, 3, 4, 5].map((id) => node(id, { device: id < 4 ? "shared" : `disk-${id}` }));

  test("the missing copy goes to a disk that has none, though another node is the chunk's home", () => {
    for (let number = 0; number < 20; number++) expect(targets(planChunk(chunk([1, 4], number), nodes, three))).toEqual([5]);
  });

  test("three copies on one disk: others are made, and only then some are given up", () => {
    const plan = planChunk(chunk([1, 2, 3]), nodes, three);
    expect(plan).toMatchObject({ risk: "misplaced", drops: [] });
    expect(plan.copies[0]!.why).toContain("all its copies are on one disk");
    const spread = planChunk(chunk([1, 2, 3, 4, 5]), nodes, three);
    expect(given(spread).filter((id) => id < 4)).toHaveLength(2);
  });

  test("there is only one disk: nothing is misplaced by that", () => {
    const embedded = [1, 2, 3, 4].map((id) => node(id, { device: "shared" }));
    expect(planChunk(chunk([1, 2, 3]), embedded, three)).toMatchObject({ risk: "whole", copies: [] });
  });
});

it("takes among dozens of nodes the first in the whole order of those that share least", () => {
  const shape = fc.record({
    zone: fc.constantFrom("a", "a", "b", "c"),
    device: fc.constantFrom("", "", "", "one disk"),
    health: fc.constantFrom("up", "up", "up", "slow", "down" as const),
    freeBytes: fc.constantFrom(0, 0, GiB),
  });
  fc.assert(
    fc.property(fc.array(shape, { minLength: 30, maxLength: 60 }), fc.boolean(), fc.nat(), (shapes, oneZone, number) => {
      const nodes = shapes.map((one, index) => node(index + 1, { ...one, ...(oneZone && { zone: "a" }) }));
      const one = chunk([1, 2], number);
      const [task] = planChunk(one, nodes, { wanted: 3 }).copies;
      const holders = nodes.filter(({ id, health }) => id < 3 && health !== "down");
      const burden = (candidate: NodeSnapshot): number => (candidate.health === "slow" ? 1e6 : 0) + crowdAround(candidate, holders);
      const free = choosePlacement(one.id, nodes, nodes.length).nodes.filter(({ id, freeBytes }) => id > 2 && freeBytes >= one.length);
      const best = free.toSorted((a, b) => burden(a) - burden(b))[0];
      expect(task?.to.id).toBe(holders.length === 0 ? undefined : best?.id);
    }),
    { numRuns: 200 },
  );
});

describe("zones fail as one", () => {
  const nodes = [node(1, { zone: "a" }), node(2, { zone: "a" }), node(3, { zone: "b" }), node(4, { zone: "a" }), node(5, { zone: "c" })];

  test("the missing copy goes to the zone that has none", () => {
    for (let number = 0; number < 20; number++) expect(targets(planChunk(chunk([1, 3], number), nodes, three))).toEqual([5]);
  });

  test("two copies in one zone are one copy left, once another zone can take the next", () => {
    expect(planChunk(chunk([1, 2]), nodes, three).copies).toMatchObject([{ copiesLeft: 1 }]);
  });

  test("three copies in one zone: one is made elsewhere, and only then is one given up", () => {
    const plan = planChunk(chunk([1, 2, 4]), nodes, three);
    expect(plan.risk).toBe("misplaced");
    expect(plan.drops).toEqual([]);
    expect(plan.copies[0]!.why).toContain("all its copies are in zone a");
    const next = planChunk(chunk([1, 2, 4, targets(plan)[0]!]), nodes, three);
    expect(next.copies).toHaveLength(1); // and once more, for the third zone
    const after = planChunk(chunk([1, 2, 4, 3, 5]), nodes, three);
    expect(after.risk).toBe("surplus");
    expect(given(after).every((id) => [1, 2, 4].includes(id))).toBe(true);
    expect(given(after)).toHaveLength(2);
  });
});

describe("a copy is too many", () => {
  test("a node came back after its chunks were copied elsewhere: one of four copies is given up, three are proved first", () => {
    const plan = planChunk(chunk([1, 2, 3, 4]), [node(1), node(2), node(3), node(4)], three);
    expect(plan.risk).toBe("surplus");
    expect(plan.drops).toHaveLength(1);
    expect(plan.drops[0]!.kept.map(({ id }) => id)).toEqual([1, 2, 3, 4].filter((id) => !given(plan).includes(id)));
    expect(plan.drops[0]!.why).toBe(`The copy on node-${given(plan)[0]} is one too many: three other copies are within reach.`);
  });

  test.each([
    ["is down", down],
    ["is suspect", { health: "suspect" }],
    ["is in maintenance", { intent: "maintenance" }],
  ] as const)("four copies, and one node %s: nothing is given up", (_, state) => {
    expect(planChunk(chunk([1, 2, 3, 4]), [node(1), node(2, state), node(3), node(4)], three).drops).toEqual([]);
  });

  test("a node that is being emptied gives up its copy last of all: when three others are there", () => {
    const nodes = [node(1), node(2, { intent: "draining" }), node(3), node(4)];
    const before = planChunk(chunk([1, 2, 3]), nodes, three);
    expect(before).toMatchObject({ risk: "misplaced", drops: [] });
    expect(targets(before)).toEqual([4]);
    const after = planChunk(chunk([1, 2, 3, 4]), nodes, three);
    expect(given(after)).toEqual([2]);
    expect(after.drops[0]!.why).toBe("node-2 is being emptied, and three other copies are within reach.");
  });
});

describe("whatever the cluster and the chunk", () => {
  const anyNode = fc.record({
    health: fc.constantFrom("up", "up", "slow", "suspect", "down" as const),
    intent: fc.constantFrom("active", "active", "active", "draining", "maintenance", "removed" as const),
    writable: fc.constantFrom(true, true, false),
    zone: fc.constantFrom("a", "b", "c"),
    freeBytes: fc.constantFrom(0, 50 * GiB),
  });
  const anyCase = fc
    .tuple(fc.array(anyNode, { minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 4 }), fc.nat(1_000))
    .chain(([shapes, wanted, number]) =>
      fc.record({
        nodes: fc.constant(shapes.map((shape, index) => node(index + 1, shape as Partial<NodeSnapshot>))),
        facts: fc.subarray(shapes.map((_, index) => index + 1)).map((replicas) => chunk(replicas, number)),
        terms: fc.subarray(shapes.map((_, index) => index + 1)).map((ids): HealingTerms => ({ wanted, awaited: new Set(ids) })),
      }),
    );

  it("never leaves fewer than the wanted copies on sound nodes by giving one up", () => {
    fc.assert(
      fc.property(anyCase, ({ nodes, facts, terms }) => {
        const plan = planChunk(facts, nodes, terms);
        const left = nodes.filter(
          ({ id, health, intent }) =>
            facts.replicas.includes(id) && !given(plan).includes(id) && (health === "up" || health === "slow") && intent === "active",
        );
        expect(plan.drops.length === 0 || left.length >= terms.wanted).toBe(true);
      }),
    );
  });

  it("copies to distinct nodes that have no copy and take chunks, never more than are missing", () => {
    fc.assert(
      fc.property(anyCase, ({ nodes, facts, terms }) => {
        const { copies, blockedCopies } = planChunk(facts, nodes, terms);
        const ids = copies.map(({ to }) => to.id);
        expect(new Set([...ids, ...facts.replicas]).size).toBe(ids.length + facts.replicas.length);
        for (const { to, from } of copies) {
          expect(to).toMatchObject({ intent: "active", writable: true, health: expect.stringMatching(/^(up|slow)$/) as string });
          expect(from.every(({ id, health }) => facts.replicas.includes(id) && health !== "down")).toBe(true);
        }
        expect(copies.length + blockedCopies).toBeLessThanOrEqual(terms.wanted);
      }),
    );
  });

  it("says the same whatever order the nodes are in", () => {
    fc.assert(
      fc.property(anyCase, ({ nodes, facts, terms }) => {
        expect(planChunk(facts, nodes.toReversed(), terms)).toEqual(planChunk(facts, nodes, terms));
      }),
    );
  });

  it("comes to rest: applied again and again, it ends with nothing to do, in as many zones as it can be", () => {
    fc.assert(
      fc.property(anyCase, ({ nodes, facts, terms }) => {
        let replicas = facts.replicas;
        for (let round = 0; round < 20; round++) {
          const plan = planChunk({ ...facts, replicas }, nodes, terms);
          if (plan.copies.length === 0 && plan.drops.length === 0) return;
          replicas = [...replicas.filter((id) => !given(plan).includes(id)), ...targets(plan)];
        }
        expect.unreachable(`still at work with ${replicas.join(", ")}`);
      }),
    );
  });

  it("spreads over as many zones as there are to spread over", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("a", "b", "c"), { minLength: 3, maxLength: 8 }), fc.nat(1_000), (zones, number) => {
        const nodes = zones.map((zone, index) => node(index + 1, { zone }));
        let replicas = [1];
        for (let round = 0; round < 10; round++) {
          const plan = planChunk(chunk(replicas, number), nodes, three);
          replicas = [...replicas.filter((id) => !given(plan).includes(id)), ...targets(plan)];
        }
        expect(replicas).toHaveLength(3);
        expect(new Set(replicas.map((id) => zones[id - 1])).size).toBe(Math.min(3, new Set(zones).size));
      }),
    );
  });
});
