import { resolve } from "node:path";
import { limits } from "@holdfast/core/kernel";
import { parseEnvironment, setting } from "@holdfast/core/service";
import { z } from "zod";

/** What the embedded cluster reads of the environment. Services parse the rest themselves, from what they inherit. */
const shape = {
  HOLDFAST_DATA_DIR: z.string().default(".holdfast"),
  DATABASE_URL: z.string().optional(),
  HOLDFAST_WEB_PORT: setting.port(3000),
  HOLDFAST_ADMIN_PORT: setting.port(3001),
  HOLDFAST_CONTROLLER_PORT: setting.port(7000),
  HOLDFAST_NODE_PORT: setting.port(7101),
  HOLDFAST_NODES: setting.integer(3, 1),
  HOLDFAST_REPLICAS: setting.replicas,
  HOLDFAST_WRITE_QUORUM: setting.integer(limits.writeQuorum, 1),
  HOLDFAST_BIND: z.string().default("127.0.0.1"),
  HOLDFAST_CLUSTER_KEY: setting.secret.optional(),
  HOLDFAST_AUTH_SECRET: setting.secret.optional(),
  HOLDFAST_SIMULATE_FAULTS: setting.flag(true),
  HOLDFAST_DEV: setting.flag(false),
};

export interface ClusterSettings {
  dataDirectory: string;
  /** Absent: PostgreSQL runs embedded. */
  databaseUrl?: string;
  bind: string;
  webPort: number;
  adminPort: number;
  controllerPort: number;
  /** One port for each node. */
  nodePorts: number[];
  clusterKey?: string;
  authSecret?: string;
  simulateFaults: boolean;
  dev: boolean;
  /** Handed on to every service as it is: settings that only they know. */
  inherited: Record<string, string>;
}

export function readSettings(environment: NodeJS.ProcessEnv): ClusterSettings {
  const env = parseEnvironment(shape, environment);
  return {
    dataDirectory: resolve(env.HOLDFAST_DATA_DIR),
    databaseUrl: env.DATABASE_URL,
    bind: env.HOLDFAST_BIND,
    webPort: env.HOLDFAST_WEB_PORT,
    adminPort: env.HOLDFAST_ADMIN_PORT,
    controllerPort: env.HOLDFAST_CONTROLLER_PORT,
    nodePorts: Array.from({ length: env.HOLDFAST_NODES }, (_, index) => env.HOLDFAST_NODE_PORT + index),
    clusterKey: env.HOLDFAST_CLUSTER_KEY,
    authSecret: env.HOLDFAST_AUTH_SECRET,
    simulateFaults: env.HOLDFAST_SIMULATE_FAULTS,
    dev: env.HOLDFAST_DEV,
    inherited: inheritedSettings(environment),
  };
}

/** Ours, and what any program needs of its surroundings; not whatever else happens to be set. */
function inheritedSettings(environment: NodeJS.ProcessEnv): Record<string, string> {
  const general = new Set(["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "NODE_EXTRA_CA_CERTS", "NODE_V8_COVERAGE"]);
  const kept = Object.entries(environment).filter(
    ([name, value]) => value !== undefined && (general.has(name) || name.startsWith("HOLDFAST_")),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}
