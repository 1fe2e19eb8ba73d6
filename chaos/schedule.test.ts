import { expect, test } from "vitest";
import { createRandom } from "./random.ts";
import { FAULT_GROUPS, type FaultKind, paces, planSchedule, type PlannedFault } from "./schedule.ts";

const NODES = 4;
const kinds: FaultKind[] = [...FAULT_GROUPS.kill, ...FAULT_GROUPS.leader, ...FAULT_GROUPS.corrupt, ...FAULT_GROUPS["power-cut"]];

function plan(seed: string, lane: "nodes" | "services", count: number): PlannedFault[] {
  const schedule = planSchedule(createRandom(seed), { nodes: NODES, kinds, pace: paces.dense });
  return Iterator.from(schedule[lane]).take(count).toArray();
}

test("the same seed plans the same faults, and another one others", () => {
  expect(plan("7", "nodes", 100)).toEqual(plan("7", "nodes", 100));
  expect(plan("7", "nodes", 100)).not.toEqual(plan("8", "nodes", 100));
});

test.each([
  { lane: "nodes" as const, ours: ["flip-bit", "kill-node", "power-cut-node", "swap-chunks", "truncate-chunk"] },
  { lane: "services" as const, ours: ["kill-controller", "kill-gateway", "kill-leader", "kill-postgres", "stop-leader"] },
])("what strikes $lane has a lane of its own, where each kind has its turn before any comes again", ({ lane, ours }) => {
  const faults = plan("7", lane, 3 * ours.length);
  for (let round = 0; round < 3; round += 1) {
    const turn = faults.slice(round * ours.length, (round + 1) * ours.length);
    expect(turn.map(({ kind }) => kind).toSorted()).toEqual(ours);
  }
  for (const { node } of faults) expect(node).toSatisfy((index) => (lane === "nodes" ? index >= 0 && index < NODES : index === undefined));
});

test("a lane without faults ends at once", () => {
  const schedule = planSchedule(createRandom("7"), { nodes: NODES, kinds: ["flip-bit"], pace: paces.steady });
  expect([...schedule.services]).toEqual([]);
});
