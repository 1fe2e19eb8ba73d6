import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { ByteBudget } from "./byte-budget.ts";

test("a full budget makes the next one wait until bytes are given back", async () => {
  const budget = new ByteBudget(10);
  const first = await budget.acquire(8);
  const second = budget.acquire(5);
  await turn();
  expect(budget.usedBytes).toBe(8);
  first();
  first(); // giving back twice frees nothing more
  await second;
  expect(budget.usedBytes).toBe(5);
});

test("a small wish does not overtake a large one that waits", async () => {
  const budget = new ByteBudget(10);
  const held = await budget.acquire(6);
  const order: string[] = [];
  const large = budget.acquire(8).then((release) => (order.push("large"), release()));
  const small = budget.acquire(1).then(() => order.push("small"));
  expect(budget.tryAcquire(1)).toBeUndefined();
  held();
  await Promise.all([large, small]);
  expect(order).toEqual(["large", "small"]);
});

test("whoever stops waiting makes way for those behind", async () => {
  const budget = new ByteBudget(10);
  await budget.acquire(6);
  const leaving = new AbortController();
  const large = budget.acquire(8, leaving.signal);
  const small = budget.acquire(4);
  leaving.abort(new Error("gone"));
  await expect(large).rejects.toThrow("gone");
  await small;
  expect(budget.usedBytes).toBe(10);
});

test("what can never fit is refused at once", async () => {
  await expect(new ByteBudget(10).acquire(11)).rejects.toThrow(RangeError);
});
