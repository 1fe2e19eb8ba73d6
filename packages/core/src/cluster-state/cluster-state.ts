/**
 * The truth about the cluster at this moment, for whoever asks: the console, programs, and whatever watches from outside.
 *
 * Read at most once a second, however many ask. While the database is away nothing is known: the report says so, and
 * carries the last figures with their age.
 */
import type pg from "pg";
import { isDatabaseUnavailable } from "../http-edge/index.ts";
import { type Clock, limits, SECOND_MS, systemClock } from "../kernel/index.ts";
import { createCopyCounter } from "./copies.ts";
import { judgeCluster } from "./judge.ts";
import type { ClusterReport, NodeReport } from "./report.ts";

const READ_INTERVAL_MS = 1 * SECOND_MS;

export interface ClusterStateOptions {
  pool: pg.Pool;
  replicas?: number;
  writeQuorum?: number;
  /** Whether the controller heard a node since it started. */
  hasHeard: (nodeId: number) => boolean;
  clock?: Clock;
}

export interface ClusterState {
  /** Rejects only for what is a bug; an outage of the database is a report with the state `unknown`. */
  read(): Promise<ClusterReport>;
}

export function createClusterState({
  pool,
  replicas = limits.replicas,
  writeQuorum = limits.writeQuorum,
  hasHeard,
  clock = systemClock,
}: ClusterStateOptions): ClusterState {
  const countCopies = createCopyCounter(pool, clock);
  let lastKnown: ClusterReport = { ...NOTHING_KNOWN, asOf: clock.now(), replicas };
  let current: { promise: Promise<ClusterReport>; atMs: number } | undefined;

  const readNow = async (): Promise<ClusterReport> => {
    const asOf = clock.now();
    const [nodes, { groups, countedAt }] = await Promise.all([readNodes(pool), countCopies()]);
    const { state, why, total, byCopies } = judgeCluster({ nodes, groups, replicas, writeQuorum, hasHeard });
    lastKnown = { state, why, asOf, replicas, nodes, chunks: { total, byCopies, countedAt }, repairs: [], rebalances: [] };
    return lastKnown;
  };
  const readOrAdmit = (): Promise<ClusterReport> =>
    readNow().catch((error: unknown) => {
      if (isDatabaseUnavailable(error)) return { ...lastKnown, state: "unknown" as const, why: DATABASE_AWAY };
      throw error;
    });

  return {
    read() {
      const nowMs = clock.monotonicMs();
      if (current === undefined || nowMs - current.atMs >= READ_INTERVAL_MS) current = { promise: readOrAdmit(), atMs: nowMs };
      return current.promise;
    },
  };
}

const DATABASE_AWAY =
  "The database does not answer, so nobody can tell how safe the data is. Uploads and downloads wait for it; nothing is lost.";

const NOTHING_KNOWN = {
  state: "unknown",
  why: DATABASE_AWAY,
  nodes: [],
  chunks: null,
  repairs: [],
  rebalances: [],
} satisfies Partial<ClusterReport>;

async function readNodes(pool: pg.Pool): Promise<NodeReport[]> {
  const { rows } = await pool.query<NodeReport>(`
    SELECT id, name, health, health_reason AS "healthReason", health_changed_at AS "healthChangedAt", intent, zone, host, port, mac, version,
           store, writable, capacity_bytes AS "capacityBytes", free_bytes AS "freeBytes", used_bytes AS "usedBytes",
           chunk_count AS "chunkCount", last_seen_at AS "lastSeenAt", registered_at AS "registeredAt"
      FROM node ORDER BY id`);
  return rows;
}
