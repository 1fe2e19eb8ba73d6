import { expect, test } from "vitest";
import { untilAnswered } from "./patience.ts";

const died = Object.assign(new Error("terminating connection due to unexpected postmaster exit"), { code: "57P01" });

test("the database dies while it is asked: it is asked again, and what it answers then counts", async () => {
  const answers = [() => Promise.reject(died), () => Promise.resolve(3)];
  expect(await untilAnswered(() => answers.shift()!())).toBe(3);
  expect(answers).toEqual([]);
});

test("the question makes no sense: nobody is patient with that, and no fault is left out for it", async () => {
  let asked = 0;
  const nonsense = Object.assign(new Error('syntax error at or near "SELEKT"'), { code: "42601" });
  const asking = untilAnswered(() => {
    asked += 1;
    return Promise.reject(nonsense);
  });
  await expect(asking).rejects.toBe(nonsense);
  expect(asked).toBe(1);
});
