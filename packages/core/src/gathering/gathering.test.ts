import { setImmediate as turn } from "node:timers/promises";
import { expect, test, vi } from "vitest";
import { createGathering } from "./index.ts";

/** Doubles numbers; each step waits until it is let go, and "odd" cannot be done. */
function setting(itemsMax = 100, patienceMs?: number) {
  const steps: { items: readonly (number | "odd")[]; go: () => void }[] = [];
  const double = createGathering<number | "odd", number>({
    itemsMax,
    ...(patienceMs !== undefined && { patienceMs }),
    async work(_, items) {
      await new Promise<void>((resolve) => steps.push({ items, go: resolve }));
      if (items.includes("odd")) throw new Error("odd");
      return items.map((item) => Number(item) * 2);
    },
  });
  return { steps, double };
}

test("one that comes alone is done alone; those that come meanwhile are done together, and each gets its own answer", async () => {
  const { steps, double } = setting();
  const first = double("a", 1);
  await turn();
  await turn();
  const others = [2, 3, 4].map((item) => double("a", item));
  steps[0]!.go();
  expect(await first).toBe(2);
  await turn();
  expect(steps.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
  steps[1]!.go();
  expect(await Promise.all(others)).toEqual([4, 6, 8]);
});

test("those of another key wait for nobody", async () => {
  const { steps, double } = setting();
  void double("a", 1);
  const other = double("b", 5);
  await turn();
  await turn();
  steps[1]!.go();
  expect(await other).toBe(10);
});

test("more than fit into one step are done in several", async () => {
  const { steps, double } = setting(2);
  const all = Promise.all([1, 2, 3].map((item) => double("a", item)));
  await turn();
  await turn();
  steps[0]!.go();
  await turn();
  steps[1]!.go();
  expect(await all).toEqual([2, 4, 6]);
  expect(steps.map(({ items }) => items.length)).toEqual([2, 1]);
});

test("a step that fails fails for those in it, and the next one is done", async () => {
  const { steps, double } = setting();
  const failing = double("a", "odd");
  await turn();
  await turn();
  const next = double("a", 3);
  steps[0]!.go();
  await expect(failing).rejects.toThrow("odd");
  await turn();
  steps[1]!.go();
  expect(await next).toBe(6);
});

test("a step takes longer than those who wait are patient: they are done beside it, again and again", async () => {
  const { steps, double } = setting(2, 10);
  const first = double("a", 1);
  await vi.waitFor(() => expect(steps).toHaveLength(1));
  const others = Promise.all([2, 3, 4, 5, 6].map((item) => double("a", item)));
  await vi.waitFor(() => expect(steps).toHaveLength(4)); // the first one is still under way
  for (const step of steps.slice(1)) step.go();
  expect(await others).toEqual([4, 6, 8, 10, 12]);
  steps[0]!.go();
  expect(await first).toBe(2);
  const again = double("a", 7);
  await vi.waitFor(() => expect(steps).toHaveLength(5));
  steps[4]!.go();
  expect(await again).toBe(14);
});
