import { limits, SECOND_MS } from "@holdfast/core/kernel";
import { EnvironmentError, parseEnvironment, setting } from "@holdfast/core/service";
import { z } from "zod";

const shape = {
  DATABASE_URL: z.string("is missing; the embedded cluster makes one, elsewhere name your PostgreSQL server"),
  HOLDFAST_WEB_PORT: setting.port(3000),
  HOLDFAST_BIND: z.string().default("127.0.0.1"),
  HOLDFAST_CLUSTER_KEY: setting.secret,
  HOLDFAST_AUTH_SECRET: setting.secret,
  HOLDFAST_SIGN_UP: z.enum(["auto", "open", "closed"]).default("auto"),
  HOLDFAST_OWNER_EMAIL: z.string().optional(),
  HOLDFAST_OWNER_PASSWORD: z.string().optional(),
  HOLDFAST_TRUST_PROXY: setting.flag(false),
  HOLDFAST_REPLICAS: setting.replicas,
  HOLDFAST_WRITE_QUORUM: setting.integer(limits.writeQuorum, 1),
  HOLDFAST_CHUNK_BYTES: setting.integer(limits.chunkBytesMax, 1),
  HOLDFAST_GC_GRACE_MS: setting.integer(limits.gcGraceMs, SECOND_MS),
  HOLDFAST_TRASH_KEEP_DAYS: setting.integer(limits.trashKeepDays, 0),
  HOLDFAST_LOG_LEVEL: setting.logLevel,
  HOLDFAST_DEV: setting.flag(false),
};

export type DriveEnvironment = ReturnType<typeof readEnvironment>;

export function readEnvironment(environment: NodeJS.ProcessEnv) {
  const env = parseEnvironment(shape, environment);
  const { HOLDFAST_REPLICAS: replicas, HOLDFAST_WRITE_QUORUM: writeQuorum, HOLDFAST_CHUNK_BYTES: chunkBytes } = env;
  if (writeQuorum > replicas) {
    throw new EnvironmentError(`HOLDFAST_WRITE_QUORUM (${writeQuorum}) cannot be more than HOLDFAST_REPLICAS (${replicas}).`);
  }
  if (chunkBytes > limits.chunkBytesMax) {
    throw new EnvironmentError(`HOLDFAST_CHUNK_BYTES (${chunkBytes}) can be at most ${limits.chunkBytesMax}.`);
  }
  return env;
}
