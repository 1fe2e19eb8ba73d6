/** Invariants of detection over random histories of heartbeats, losses, pauses and reigns. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { NodeHealth } from "@holdfast/db";
import { createManualClock } from "../testing/index.ts";
import { HealthWatch, type NodeOnRecord } from "./health-watch.ts";
import { detectionLimits, type HealthTransition } from "./plan.ts";

const limits = detectionLimits(5_000, 15_000);

interface Moment {
  /** Until the controller looks. Its process may have been stopped for long. */
  passedMs: number;
  /** For each node, what it says; nothing while it is silent. */
  writeLatencyMs: (number | undefined)[];
  /** Another controller takes over, and knows nothing. */
  reignEnds: boolean;
  inMaintenance: boolean[];
}

const NODES_MAX = 12;
const perNode = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: NODES_MAX, maxLength: NODES_MAX });
const moment: fc.Arbitrary<Moment> = fc.record({
  passedMs: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 1, max: 5_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 3_600_000 }) },
  ),
  writeLatencyMs: perNode(fc.option(fc.constantFrom(0, 5, 50, 5_000), { nil: undefined, freq: 2 })),
  reignEnds: fc.integer({ min: 0, max: 30 }).map((value) => value === 0),
  inMaintenance: perNode(fc.integer({ min: 0, max: 9 }).map((value) => value === 0)),
});
/** Whole stretches of the same, as in life: without them hardly anybody is silent for long enough. */
const history = fc
  .array(fc.record({ moment, repeated: fc.integer({ min: 1, max: 12 }) }), { minLength: 1, maxLength: 25 })
  .map((stretches) =>
    stretches.flatMap(({ moment: same, repeated }) =>
      Array.from({ length: repeated }, (_, turn) => (turn === 0 ? same : { ...same, reignEnds: false })),
    ),
  );

interface Step {
  before: NodeOnRecord[];
  after: NodeOnRecord[];
  transitions: HealthTransition[];
  /** Since when the present controller leads, and when it last heard each node; by the clock. */
  nowMs: number;
  reignSinceMs: number;
  heardMs: (number | undefined)[];
  /** When each was last put to suspect or down. */
  doubtedMs: (number | undefined)[];
}

function replay(size: number, moments: readonly Moment[], check: (step: Step) => void): void {
  const clock = createManualClock();
  let watch = new HealthWatch(limits, clock);
  let nodes: NodeOnRecord[] = Array.from({ length: size }, (_, index) => ({
    id: index + 1,
    name: `node-${index + 1}`,
    health: "up",
    healthReason: "",
    inMaintenance: false,
  }));
  let reignSinceMs = clock.monotonicMs();
  let heardMs: (number | undefined)[] = [];
  const doubtedMs: (number | undefined)[] = [];
  for (const { passedMs, writeLatencyMs, reignEnds, inMaintenance } of moments) {
    if (reignEnds) {
      watch = new HealthWatch(limits, clock);
      reignSinceMs = clock.monotonicMs();
      heardMs = [];
    }
    clock.advance(passedMs);
    for (const { id } of nodes) {
      const latency = writeLatencyMs[id - 1];
      if (latency === undefined) continue;
      watch.heard(id, latency);
      heardMs[id] = clock.monotonicMs();
    }
    const before = nodes.map((node) => ({ ...node, inMaintenance: inMaintenance[node.id - 1]! }));
    const transitions = watch.plan(before);
    for (const transition of transitions) watch.applied(transition);
    const after = before.map((node) => {
      const change = transitions.find(({ nodeId }) => nodeId === node.id);
      return change === undefined ? node : { ...node, health: change.to, healthReason: change.why };
    });
    check({ before, after, transitions, nowMs: clock.monotonicMs(), reignSinceMs, heardMs, doubtedMs });
    for (const { nodeId, to } of transitions) if (isDoubt(to)) doubtedMs[nodeId] = clock.monotonicMs();
    nodes = after;
  }
}

/** The smallest history that breaks a rule, with its seed; undefined when none was found. A rule lists what it finds wrong. */
function counterexample(rule: (step: Step) => unknown[]): string | undefined {
  const property = fc.property(fc.integer({ min: 1, max: NODES_MAX }), history, (size, moments) => {
    const wrong: unknown[] = [];
    replay(size, moments, (step) => wrong.push(...rule(step)));
    return wrong.length === 0;
  });
  return fc.defaultReportMessage(fc.check(property, { numRuns: 300 }));
}

const isDoubt = (health: NodeHealth): boolean => health === "suspect" || health === "down";
const falling = ({ transitions }: Step) => transitions.filter(({ to }) => to === "down");

test("whatever happens, nobody is called down while that leaves no majority, or in large clusters less than three quarters", () => {
  const tooFewRemain = ({ after }: Step): boolean => {
    const remaining = after.filter(({ health }) => health !== "down").length;
    return after.length < 8 ? remaining <= after.length / 2 : remaining < after.length * 0.75;
  };
  expect(counterexample((step) => (falling(step).length > 0 && tooFewRemain(step) ? [step.after] : []))).toBeUndefined();
});

test("whatever happens, nobody is up or slow again without a heartbeat since it was neither", () => {
  const improved = ({ transitions }: Step) => transitions.filter(({ from, to }) => isDoubt(from) && !isDoubt(to));
  expect(counterexample((step) => improved(step).filter(({ nodeId: id }) => !(step.heardMs[id]! > step.doubtedMs[id]!)))).toBeUndefined();
});

test("whatever happens, nobody is down before the full time of silence has passed in this reign", () => {
  const silentMs = ({ nowMs, reignSinceMs, heardMs }: Step, id: number) => nowMs - Math.max(reignSinceMs, heardMs[id] ?? 0);
  expect(counterexample((step) => falling(step).filter(({ nodeId }) => silentMs(step, nodeId) < limits.downAfterMs))).toBeUndefined();
});

test("whatever happens, nobody in maintenance is called down", () => {
  const inMaintenance = ({ before }: Step, id: number) => before.find((node) => node.id === id)!.inMaintenance;
  expect(counterexample((step) => falling(step).filter(({ nodeId }) => inMaintenance(step, nodeId)))).toBeUndefined();
});

test("whatever happens, each transition is news: another health, or another reason", () => {
  const known = ({ before }: Step, { nodeId, to, why }: HealthTransition): boolean =>
    before.some(({ id, health, healthReason }) => id === nodeId && health === to && healthReason === why);
  expect(counterexample((step) => step.transitions.filter((transition) => known(step, transition)))).toBeUndefined();
});

test("after whatever happened, nodes that answer on end are up in the end, and the log falls silent", () => {
  const calm = { passedMs: 5_000, writeLatencyMs: Array<number>(NODES_MAX).fill(5), inMaintenance: Array<boolean>(NODES_MAX).fill(false) };
  const peace = Array.from({ length: 80 }, (): Moment => ({ ...calm, reignEnds: false }));
  const settles = fc.property(fc.integer({ min: 1, max: NODES_MAX }), history, (size, moments) => {
    let last: Step | undefined;
    replay(size, [...moments, ...peace], (step) => (last = step));
    return last!.after.every(({ health }) => health === "up") && last!.transitions.length === 0;
  });
  expect(fc.defaultReportMessage(fc.check(settles, { numRuns: 100 }))).toBeUndefined();
});

test("the histories are not tame: they do bring nodes down, hold some at suspect, and make some slow", () => {
  const seen = new Set<string>();
  for (const [size, moments] of fc.sample(fc.tuple(fc.integer({ min: 3, max: NODES_MAX }), history), { numRuns: 300, seed: 7 })) {
    replay(size, moments, ({ transitions }) => transitions.forEach(({ from, to }) => seen.add(`${from} ${to}`)));
  }
  expect([...seen]).toEqual(
    expect.arrayContaining(["up slow", "up suspect", "suspect down", "suspect suspect", "down up", "down suspect"]),
  );
});
