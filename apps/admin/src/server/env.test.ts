import { expect, test } from "vitest";
import { readEnvironment } from "./env.ts";

const complete = {
  NODE_ENV: "test" as const,
  DATABASE_URL: "postgresql://localhost/holdfast",
  HOLDFAST_CLUSTER_KEY: "k".repeat(32),
  HOLDFAST_AUTH_SECRET: "s".repeat(32),
};

test("the documented defaults hold where nothing is set", () => {
  expect(readEnvironment(complete)).toMatchObject({
    HOLDFAST_ADMIN_PORT: 3001,
    HOLDFAST_CONTROLLER_PORT: 7000,
    HOLDFAST_BIND: "127.0.0.1",
    HOLDFAST_HEARTBEAT_MS: 5_000,
    HOLDFAST_DOWN_AFTER_MS: 15_000,
    HOLDFAST_REPLICAS: 3,
  });
});

test.each(["DATABASE_URL", "HOLDFAST_CLUSTER_KEY", "HOLDFAST_AUTH_SECRET"])(
  "nothing starts without %s, and the message names it",
  (name) => {
    expect(() => readEnvironment({ ...complete, [name]: undefined })).toThrow(name);
  },
);

test("times that would call every node down between two heartbeats are refused", () => {
  expect(() => readEnvironment({ ...complete, HOLDFAST_DOWN_AFTER_MS: "6000" })).toThrow(/HOLDFAST_DOWN_AFTER_MS.*HOLDFAST_HEARTBEAT_MS/);
});
