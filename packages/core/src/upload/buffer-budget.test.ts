import { describe, expect, it } from "vitest";
import { createBufferBudget, type PooledBuffer } from "./buffer-budget.ts";

/** Lets everything run that waits for nothing but promises. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("the memory of all uploads", () => {
  it("a hundred ask, four get a buffer, and each that is given back goes to whoever waited longest", async () => {
    const budget = createBufferBudget({ budgetBytes: 4_096, bufferBytes: 1_024 });
    const served: { turn: number; buffer: PooledBuffer }[] = [];
    for (let turn = 0; turn < 100; turn++) void budget.acquire().then((buffer) => served.push({ turn, buffer }));
    await settled();
    expect(served.length).toBe(4);
    expect(budget.isContended()).toBe(true);

    const seen = new Set<Buffer>();
    for (let turn = 0; turn < 100; turn++) {
      expect(served[turn]!.turn).toBe(turn);
      seen.add(served[turn]!.buffer.bytes);
      served[turn]!.buffer.release();
      await settled();
      expect(served.length).toBe(Math.min(turn + 5, 100));
    }
    expect(seen.size).toBe(4);
    expect(budget.isContended()).toBe(false);
  });

  it("a buffer that a node may still be reading is never lent again", async () => {
    const budget = createBufferBudget({ budgetBytes: 1_024, bufferBytes: 1_024 });
    const hung = await budget.acquire();
    hung.release(true);
    expect((await budget.acquire()).bytes).not.toBe(hung.bytes);
  });
});
