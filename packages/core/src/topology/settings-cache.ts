import type pg from "pg";
import { createWorker } from "../background/index.ts";
import { limits } from "../kernel/index.ts";
import type { ClusterSettings } from "./change.ts";
import { readSettings, type SettingDefaults } from "./view.ts";

export interface SettingsCacheOptions extends SettingDefaults {
  pool: pg.Pool;
  refreshMs?: number;
  /** Called once per outage of the database. */
  onError: (error: unknown) => void;
}

export interface SettingsCache {
  settings(): ClusterSettings;
  /** Resolves after the first read, even if it failed: until the database answers, the environment's word holds. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What operators want of the cluster, as this process last read it. While the database is away the last word stands. */
export function createSettingsCache({
  pool,
  replicas,
  writeQuorum,
  refreshMs = limits.membershipRefreshMs,
  onError,
}: SettingsCacheOptions): SettingsCache {
  let settings: ClusterSettings = { replicas, writeQuorum, policy: "rendezvous" };
  const worker = createWorker({
    name: "cluster-settings",
    intervalMs: refreshMs,
    onError,
    step: async () => void (settings = await readSettings(pool, { replicas, writeQuorum })),
  });
  return { settings: () => settings, start: () => worker.start(), stop: () => worker.stop() };
}
