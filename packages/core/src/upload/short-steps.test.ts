import { randomBytes } from "node:crypto";
import { createTestDatabase } from "@holdfast/db/testing";
import { expect, onTestFinished, test } from "vitest";
import { limits, SECOND_MS } from "../kernel/index.ts";
import { createManualClock } from "../testing/index.ts";
import { createShortSteps } from "./short-steps.ts";
import { create, offsetOf, patch, startGateway } from "./testing/gateway.ts";

test("an upload byte by byte is stopped before it costs anything more, and goes on in longer steps after a while", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const clock = createManualClock();
  const gateway = await startGateway(database, { shortSteps: createShortSteps({ max: 3, perSecond: 1, clock }) });
  onTestFinished(() => gateway.stop());
  const bytes = randomBytes(limits.uploadStepBytesMin + 10);
  const step = (offset: number, length = 1) => patch(url, offset, bytes.subarray(offset, offset + length));
  const url = await create(gateway, bytes.length);
  for (const offset of [0, 1, 2]) expect((await step(offset)).status).toBe(204);

  const refused = await step(3);
  expect([refused.status, refused.body.error]).toEqual([429, "upload.steps_too_short"]);
  expect(await offsetOf(url)).toBe(3);
  expect((await step(3, bytes.length - 3)).status).toBe(429); // nobody has looked at its length yet
  clock.advance(1 * SECOND_MS);
  expect((await step(3, limits.uploadStepBytesMin)).status).toBe(204); // long enough to cost nothing
  expect((await step(limits.uploadStepBytesMin + 3, 7)).headers["holdfast-entry-id"]).toBeDefined(); // the last bytes, however few
  const other = await create(gateway, 10);
  expect((await patch(other, 0, randomBytes(1))).status).toBe(204);
  expect((await patch(other, 1, randomBytes(1))).status).toBe(429);
});

test("everybody has steps of their own, and those that were spent come back", () => {
  const clock = createManualClock();
  const steps = createShortSteps({ max: 10, perSecond: 2, clock });
  for (let step = 0; step < 10; step++) steps.count("mine", 1);
  expect(() => steps.require("mine")).toThrow("Send at least");
  steps.require("yours");
  clock.advance(500);
  steps.require("mine");
  steps.count("mine", 0);
  expect(() => steps.require("mine")).toThrow("Send at least");
  clock.advance(3_600 * SECOND_MS);
  for (let step = 0; step < 10; step++) {
    steps.require("mine");
    steps.count("mine", limits.uploadStepBytesMin - 1);
  }
  expect(() => steps.require("mine")).toThrow("Send at least");
});
