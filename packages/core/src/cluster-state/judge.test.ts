import type { NodeHealth } from "@holdfast/db";
import { expect, test } from "vitest";
import type { CopyGroup } from "./copies.ts";
import { judgeCluster, type Judgement } from "./judge.ts";

interface Situation {
  health: NodeHealth[];
  /** How many chunks are kept by which nodes. */
  chunks?: [replicas: number[], count: number, settling?: boolean][];
  unwritable?: number[];
  unheard?: number[];
  /** For as long as one that is down. */
  silent?: number[];
  maintenance?: number[];
  removed?: number[];
  replicas?: number;
}

function judge({
  health,
  chunks = [],
  unwritable = [],
  unheard = [],
  silent = [],
  maintenance = [],
  removed = [],
  replicas = 3,
}: Situation): Judgement {
  return judgeCluster({
    nodes: health.map((value, index) => ({
      id: index + 1,
      name: `node-${index + 1}`,
      health: value,
      intent: removed.includes(index + 1) ? "removed" : maintenance.includes(index + 1) ? "maintenance" : "active",
      writable: !unwritable.includes(index + 1),
      withinReach: value !== "down" && !silent.includes(index + 1),
      heard: !unheard.includes(index + 1),
    })),
    groups: chunks.map(([nodes, count, settling = false]): CopyGroup => ({ replicas: nodes, count, settling })),
    replicas,
    writeQuorum: 2,
  });
}

const up3: NodeHealth[] = ["up", "up", "up"];
const whole: [number[], number][] = [[[1, 2, 3], 120]];

test.each<[string, Situation, string, string]>([
  ["all is well", { health: up3, chunks: whole }, "ok", "All three nodes are up. Every chunk has three copies. Reading and uploads work."],
  ["an empty cluster", { health: up3 }, "ok", "All three nodes are up. Nothing is stored yet. Reading and uploads work."],
  [
    "one node is away",
    { health: ["up", "down", "up"], chunks: whole },
    "at-risk",
    "node-2 is away. 120 chunks have two copies instead of three. Reading and uploads work.",
  ],
  [
    "two nodes are away",
    { health: ["up", "down", "down"], chunks: whole },
    "degraded",
    "Two of three nodes are away. 120 chunks have one copy left. Reading works; uploads wait.",
  ],
  [
    "all nodes are away",
    { health: ["down", "down", "down"], chunks: whole },
    "unreadable",
    "All three nodes are away. 120 chunks have no copy within reach: their files cannot be read until a node that has them returns. Nothing can be read; uploads wait.",
  ],
  [
    "a suspect node still counts as a holder",
    { health: ["up", "suspect", "up"], chunks: whole },
    "at-risk",
    "node-2 does not answer in time. Every chunk has three copies. Reading and uploads work.",
  ],
  [
    "two nodes are silent, and only one may be called down",
    { health: ["up", "down", "suspect"], silent: [3], chunks: whole },
    "degraded",
    "Two of three nodes are away. 120 chunks have one copy left. Reading works; uploads wait.",
  ],
  [
    "a node is switched off for maintenance",
    { health: ["up", "suspect", "up"], silent: [2], maintenance: [2], chunks: whole },
    "at-risk",
    "node-2 is away for maintenance. 120 chunks have two copies instead of three. Reading and uploads work.",
  ],
  [
    "a slow node costs patience and no safety",
    { health: ["up", "slow", "up"], chunks: whole },
    "ok",
    "All three nodes are up, but node-2 is slow. Every chunk has three copies. Reading and uploads work.",
  ],
  [
    "one chunk among many is down to one copy",
    { health: up3, chunks: [...whole, [[1, 2], 5], [[3], 1]] },
    "degraded",
    "All three nodes are up. 1 chunk has one copy left. Reading and uploads work.",
  ],
  [
    "a chunk whose third copy is on its way",
    { health: up3, chunks: [...whole, [[1, 2], 5, true]] },
    "ok",
    "All three nodes are up. Every chunk has three copies. Reading and uploads work.",
  ],
  [
    "a young chunk that already lost a copy",
    { health: ["up", "down", "up"], chunks: [[[1, 2, 3], 1, true]] },
    "at-risk",
    "node-2 is away. 1 chunk has two copies instead of three. Reading and uploads work.",
  ],
  [
    "fewer nodes than copies",
    { health: ["up", "up"], chunks: [[[1, 2], 7]] },
    "at-risk",
    "There are two nodes for three copies. 7 chunks have two copies instead of three. Reading and uploads work.",
  ],
  [
    "some chunks lived on the two nodes that are away",
    { health: ["up", "down", "down", "up"], chunks: [...whole, [[2, 3], 5]] },
    "unreadable",
    "Two of four nodes are away. 5 chunks have no copy within reach: their files cannot be read until a node that has them returns. Everything else can be read; uploads work.",
  ],
  [
    "a removed node holds nothing that counts",
    { health: [...up3, "up"], removed: [4], chunks: [[[1, 2, 4], 3]] },
    "at-risk",
    "All three nodes are up. 3 chunks have two copies instead of three. Reading and uploads work.",
  ],
  [
    "two of three nodes are full",
    { health: up3, chunks: whole, unwritable: [1, 2] },
    "ok",
    "All three nodes are up, but node-1 and node-2 take no new chunks. Every chunk has three copies. Reading works; uploads wait.",
  ],
  [
    "the controller has just started",
    { health: up3, chunks: whole, unheard: [2, 3] },
    "unknown",
    "The controller has just started and has not heard from node-2 and node-3 yet. Every chunk has three copies. Reading and uploads work.",
  ],
  ["no node at all", { health: [] }, "unknown", "No storage node has joined yet. Nothing is stored yet. Uploads wait for the first nodes."],
  [
    "no node, but chunks",
    { health: [], chunks: whole },
    "unreadable",
    "No storage node has joined yet. 120 chunks have no copy within reach: their files cannot be read until a node that has them returns. Nothing can be read; uploads wait.",
  ],
  [
    "a cluster that wants one copy and has it",
    { health: ["up"], replicas: 1, chunks: [[[1], 4]] },
    "ok",
    "The only node is up. Every chunk has one copy. Reading works; uploads wait.",
  ],
])("%s", (_, situation, state, why) => {
  const judgement = judge(situation);
  expect({ state: judgement.state, why: judgement.why }).toEqual({ state, why });
});

test("every chunk is counted once, by its copies within reach, and a node that is named twice is one copy", () => {
  const { total, byCopies } = judge({
    health: ["up", "down", "up", "up"],
    chunks: [...whole, [[1, 3, 4], 2], [[2], 3], [[1, 1], 4], [[], 5], [[1, 2, 3, 4], 6]],
  });
  expect(total).toBe(140);
  expect(byCopies).toEqual({ "0": 8, "1": 4, "2": 120, "3": 8 });
});

test("more copies than wanted are counted as they are", () => {
  expect(judge({ health: ["up", "up", "up", "up"], chunks: [[[1, 2, 3, 4], 6]] }).byCopies).toEqual({
    "0": 0,
    "1": 0,
    "2": 0,
    "3": 0,
    "4": 6,
  });
});
