/**
 * The truth about the cluster at this moment, for whoever asks: the console, programs, and whatever watches from outside.
 *
 * Read at most once a second, however many ask. While the database is away nothing is known: the report says so, and
 * carries the last figures with their age.
 */
import type pg from "pg";
import { listRepairs } from "../healing/index.ts";
import { isDatabaseUnavailable } from "../http-edge/index.ts";
import { type Clock, limits, SECOND_MS, systemClock } from "../kernel/index.ts";
import { sumCapacity } from "./capacity.ts";
import { listRebalances } from "../topology/index.ts";
import { createCopyCounter } from "./copies.ts";
import { sharedDisksWords } from "./disks.ts";
import { judgeCluster } from "./judge.ts";
import type { ClusterReport, HealingOrders, NodeReport } from "./report.ts";

const READ_INTERVAL_MS = 1 * SECOND_MS;
/** Repairs, and rebalances, that a report tells of. */
const WORK_SHOWN = 5;

export interface ClusterStateOptions {
  pool: pg.Pool;
  replicas?: number;
  writeQuorum?: number;
  /** Whether this controller heard a node since it leads; undefined while another leads, whose record then counts. */
  hasHeard: (nodeId: number) => boolean | undefined;
  /** For how long a node may be silent and still count as within reach. */
  downAfterMs?: number;
  clock?: Clock;
}

export interface ClusterState {
  /** Rejects only for what is a bug; an outage of the database is a report with the state `unknown`. */
  read(): Promise<ClusterReport>;
}

export function createClusterState({
  pool,
  replicas: wantedReplicas = limits.replicas,
  writeQuorum = limits.writeQuorum,
  hasHeard,
  downAfterMs = limits.nodeDownAfterMs,
  clock = systemClock,
}: ClusterStateOptions): ClusterState {
  const countCopies = createCopyCounter(pool, clock);
  let lastKnown: ClusterReport = { ...NOTHING_KNOWN, asOf: clock.now(), replicas: wantedReplicas };
  let current: { promise: Promise<ClusterReport>; atMs: number } | undefined;

  const readNow = async (): Promise<ClusterReport> => {
    const asOf = clock.now();
    const [rows, { groups, countedAt }, orders, repairs, rebalances] = await Promise.all([
      readNodes(pool, downAfterMs),
      countCopies(),
      readOrders(pool),
      listRepairs(pool, WORK_SHOWN),
      listRebalances(pool, WORK_SHOWN),
    ]);
    const { replicas = wantedReplicas, ...healing } = orders;
    const nodes = rows.map(({ seenLately, ...node }) => ({ ...node, heard: hasHeard(node.id) ?? seenLately })).toSorted(byName);
    const { state, why, total, byCopies } = judgeCluster({ nodes, groups, replicas, writeQuorum });
    const chunks = { total, byCopies, countedAt };
    const room = { capacity: sumCapacity(nodes), sharedDisks: sharedDisksWords(nodes, replicas) };
    lastKnown = { state, why, asOf, replicas, nodes, ...room, chunks, healing, repairs, rebalances };
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
  capacity: sumCapacity([]),
  sharedDisks: "",
  chunks: null,
  healing: { paused: false, bytesPerSecondMax: null },
  repairs: [],
  rebalances: [],
} satisfies Partial<ClusterReport>;

/** Without a row there is no cluster yet, and nobody has ordered anything. */
async function readOrders(pool: pg.Pool): Promise<HealingOrders & { replicas?: number }> {
  const { rows } = await pool.query<HealingOrders & { replicas: number | null }>(
    `SELECT replicas, healing_paused AS paused, healing_bytes_per_sec AS "bytesPerSecondMax" FROM cluster`,
  );
  const { replicas = null, paused = false, bytesPerSecondMax = null } = rows[0] ?? {};
  return { paused, bytesPerSecondMax, ...(replicas !== null && { replicas }) };
}

/** `node-10` comes after `node-9`. */
const inNaturalOrder = new Intl.Collator("en", { numeric: true });
const byName = (a: NodeReport, b: NodeReport): number => inNaturalOrder.compare(a.name, b.name);

type NodeRow = Omit<NodeReport, "heard"> & { seenLately: boolean };

/** By the database's clock alone: it wrote when each was last seen. */
async function readNodes(pool: pg.Pool, downAfterMs: number): Promise<NodeRow[]> {
  const { rows } = await pool.query<NodeRow>(
    `SELECT id, name, health, health_reason AS "healthReason", health_changed_at AS "healthChangedAt", "seenLately",
            NOT (health = 'down' OR (health = 'suspect' AND NOT "seenLately")) AS "withinReach",
            intent, maintenance_until AS "maintenanceUntil", zone, host, port, grpc_port AS "grpcPort", mac, version, store, writable,
            write_refusal AS "writeRefusal", disk_errors AS "diskErrors", corrupt_chunks AS "corruptChunks",
            write_latency_ms AS "writeLatencyMs", read_latency_ms AS "readLatencyMs", scrubbed_at AS "scrubbedAt",
            scrub_progress AS "scrubProgress", inventoried_at AS "inventoriedAt", weight, device,
            capacity_bytes AS "capacityBytes", free_bytes AS "freeBytes", used_bytes AS "usedBytes",
            chunk_count AS "chunkCount", last_seen_at AS "lastSeenAt", registered_at AS "registeredAt"
       FROM node, LATERAL (SELECT coalesce(last_seen_at, registered_at) > now() - $1 * interval '1 ms' AS "seenLately")
      ORDER BY id`,
    [downAfterMs],
  );
  return rows;
}
