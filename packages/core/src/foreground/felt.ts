/**
 * What users feel of the nodes, told by the gateways for whoever would slow them down: each keeps one row, and healing goes
 * by the worst of them. Nothing else is decided by it. A gateway that was stopped, or has no users, says nothing.
 */
import { randomUUID } from "node:crypto";
import type pg from "pg";
import { createWorker, type Worker } from "../background/index.ts";
import { limits } from "../kernel/index.ts";

export interface FeltLatency {
  /** What 95 of 100 reads from, and writes to, a node took no longer than; 0 when there were too few to tell. */
  readMs: number;
  writeMs: number;
}

export interface GatewayFelt extends FeltLatency {
  gatewayId: string;
}

export interface ReportFeltOptions {
  pool: pg.Pool;
  felt: () => FeltLatency;
  intervalMs?: number;
  /** Called once per outage of the database. */
  onError: (error: unknown) => void;
}

/** Writes it down about once a second, while there is anything to tell. */
export function reportFelt({ pool, felt, intervalMs = limits.feltIntervalMs, onError }: ReportFeltOptions): Worker {
  const gatewayId = randomUUID();
  return createWorker({
    name: "felt-latency",
    intervalMs,
    onError,
    async step() {
      const { readMs, writeMs } = felt();
      if (readMs + writeMs === 0) return;
      await pool.query({ name: "felt-report", text: REPORT, values: [gatewayId, readMs, writeMs] });
    },
  });
}

/** Rows of gateways that are long gone go with the first one written. */
const REPORT = `
  WITH gone AS (DELETE FROM gateway WHERE seen_at < now() - interval '1 hour')
  INSERT INTO gateway (id, read_ms, write_ms, seen_at) VALUES ($1, $2, $3, clock_timestamp())
  ON CONFLICT (id) DO UPDATE SET read_ms = excluded.read_ms, write_ms = excluded.write_ms, seen_at = excluded.seen_at`;

/** Of those that said something in the last few seconds. */
export async function readFelt(pool: pg.Pool): Promise<GatewayFelt[]> {
  const { rows } = await pool.query<GatewayFelt>({
    name: "felt-read",
    text: `SELECT id AS "gatewayId", read_ms AS "readMs", write_ms AS "writeMs" FROM gateway
            WHERE seen_at > clock_timestamp() - $1::bigint * interval '1 millisecond'`,
    values: [limits.feltFreshMs],
  });
  return rows;
}
