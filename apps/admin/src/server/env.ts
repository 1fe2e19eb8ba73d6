import { limits, SECOND_MS } from "@holdfast/core/kernel";
import { EnvironmentError, parseEnvironment, setting } from "@holdfast/core/service";
import { z } from "zod";

const shape = {
  DATABASE_URL: z.string("is missing; the embedded cluster makes one, elsewhere name your PostgreSQL server"),
  HOLDFAST_ADMIN_PORT: setting.port(3001),
  HOLDFAST_CONTROLLER_PORT: setting.port(7000),
  HOLDFAST_BIND: z.string().default("127.0.0.1"),
  HOLDFAST_CLUSTER_KEY: setting.secret,
  HOLDFAST_AUTH_SECRET: setting.secret,
  HOLDFAST_REPLICAS: setting.replicas,
  HOLDFAST_WRITE_QUORUM: setting.integer(limits.writeQuorum, 1),
  HOLDFAST_HEARTBEAT_MS: setting.integer(limits.heartbeatIntervalMs, 1),
  HOLDFAST_DOWN_AFTER_MS: setting.integer(limits.nodeDownAfterMs, 1),
  HOLDFAST_REPAIR_AFTER_MS: setting.integer(limits.repairAfterMs, 0),
  HOLDFAST_GC_GRACE_MS: setting.integer(limits.gcGraceMs, SECOND_MS),
  HOLDFAST_SIMULATE_FAULTS: setting.flag(false),
  HOLDFAST_LOG_LEVEL: setting.logLevel,
  HOLDFAST_DEV: setting.flag(false),
};

export type ConsoleEnvironment = ReturnType<typeof readEnvironment>;

export function readEnvironment(environment: NodeJS.ProcessEnv) {
  const env = parseEnvironment(shape, environment);
  if (env.HOLDFAST_DOWN_AFTER_MS < 2 * env.HOLDFAST_HEARTBEAT_MS) {
    throw new EnvironmentError(
      `HOLDFAST_DOWN_AFTER_MS (${env.HOLDFAST_DOWN_AFTER_MS}) must be at least twice HOLDFAST_HEARTBEAT_MS (${env.HOLDFAST_HEARTBEAT_MS}): a node must be allowed to miss a heartbeat.`,
    );
  }
  return env;
}
