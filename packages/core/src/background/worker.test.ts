import { expect, test, vi } from "vitest";
import { createWorker } from "./worker.ts";

test("a worker whose step fails for a while reports it once, goes on trying, and recovers", async () => {
  const errors: unknown[] = [];
  let broken = true;
  let steps = 0;
  const worker = createWorker({
    name: "sweeper",
    intervalMs: 1,
    onError: (error) => errors.push(error),
    async step() {
      steps += 1;
      if (broken) throw new Error("the database is away");
    },
  });
  expect(worker.status()).toEqual({ name: "sweeper", state: "stopped", reason: "" });
  await worker.start();
  await vi.waitFor(() => expect(steps).toBeGreaterThan(3));
  expect(worker.status()).toEqual({ name: "sweeper", state: "failing", reason: "the database is away" });
  expect(errors).toHaveLength(1);

  broken = false;
  await vi.waitFor(() => expect(worker.status().state).toBe("running"));
  await worker.stop();
});

test("stop waits for the step under way, and no other follows", async () => {
  const log: string[] = [];
  const worker = createWorker({
    name: "sweeper",
    intervalMs: 0,
    onError: () => undefined,
    async step(signal) {
      log.push("begin");
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      log.push("end");
    },
  });
  void worker.start();
  await worker.stop();
  expect(log).toEqual(["begin", "end"]);
  expect(worker.status().state).toBe("stopped");
});
