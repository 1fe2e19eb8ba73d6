import { startTestPostgres } from "@holdfast/db/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { isDatabaseUnavailable } from "../http-edge/index.ts";
import { createLogger } from "../kernel/index.ts";
import { createUploadLocks } from "./upload-locks.ts";

const logger = createLogger("test", "silent");

test("the database freezes: the locks count as lost, their holders are told, and thawed there are new ones", async () => {
  const server = await startTestPostgres();
  onTestFinished(() => server.stop());
  const locks = createUploadLocks({ databaseUrl: server.url, logger, answerTimeoutMs: 300 });
  const onLeave = vi.fn<() => void>();
  const held = await locks.acquire("one", onLeave);

  server.freeze();
  const outcomes = await Promise.allSettled([locks.acquire("two", () => undefined), locks.acquire("three", () => undefined)]);
  expect(outcomes.map((outcome) => outcome.status === "rejected" && isDatabaseUnavailable(outcome.reason))).toEqual([true, true]);
  await expect.poll(() => onLeave.mock.calls.length).toBe(1);
  await held.release();

  server.thaw();
  const again = await locks.acquire("one", () => undefined);
  server.freeze();
  await Promise.all([again.release(), locks.stop()]);
});
