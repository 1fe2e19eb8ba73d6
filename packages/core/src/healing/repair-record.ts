/** The row of the repair under way, and what is told of it. Nothing decides by them. */
import type pg from "pg";
import { recordEvent } from "../events/index.ts";
import { bytesInWords, secondsInWords } from "../wording/index.ts";
import { WORK_COLUMNS, WORK_ORDER, type WorkReport } from "./work-report.ts";

/** One stretch of repairing. */
export type RepairReport = WorkReport;

/** What this process writes into its row. */
export type RepairFacts = Omit<WorkReport, "id" | "etaSeconds" | "startedAt" | "finishedAt">;

export interface OpenRepair extends RepairFacts {
  id: number;
}

export async function listRepairs(pool: pg.Pool, limit = 10): Promise<RepairReport[]> {
  const { rows } = await pool.query<RepairReport>(`SELECT ${WORK_COLUMNS} FROM repair ORDER BY ${WORK_ORDER} LIMIT $1`, [limit]);
  return rows;
}

/** `seconds` is how long ago it began, by the database's clock. */
export async function readOpenRepair(pool: pg.Pool): Promise<{ repair: OpenRepair; seconds: number } | undefined> {
  const { rows } = await pool.query<RepairReport & { seconds: number }>(
    `SELECT ${WORK_COLUMNS}, extract(epoch FROM now() - started_at)::float AS seconds FROM repair WHERE finished_at IS NULL`,
  );
  if (rows[0] === undefined) return undefined;
  const { seconds, ...repair } = rows[0];
  return { repair, seconds };
}

const values = (facts: RepairFacts): unknown[] => [
  facts.state,
  facts.why,
  facts.blocked,
  facts.chunksTotal,
  facts.chunksDone,
  facts.chunksFailed,
  facts.bytesTotal,
  facts.bytesDone,
  facts.bytesPerSecond,
];

export async function openRepair(tx: pg.PoolClient, facts: RepairFacts): Promise<OpenRepair> {
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO repair (state, why, blocked, chunks_total, chunks_done, chunks_failed, bytes_total, bytes_done, bytes_per_second)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id`,
    values(facts),
  );
  return { ...facts, id: rows[0]!.id };
}

export async function saveRepair(tx: pg.PoolClient, { id, ...facts }: OpenRepair): Promise<void> {
  await tx.query(
    `UPDATE repair SET state = $1, why = $2, blocked = $3, chunks_total = $4, chunks_done = $5, chunks_failed = $6, bytes_total = $7,
            bytes_done = $8, bytes_per_second = $9, updated_at = now()
      WHERE id = $10 AND finished_at IS NULL`,
    [...values(facts), id],
  );
}

export async function recordRepairBegan(tx: pg.PoolClient, { why }: RepairFacts): Promise<void> {
  await recordEvent(tx, { severity: "info", kind: "repair.began", message: `${why} Repair began.` });
}

export async function recordRepairBlocked(tx: pg.PoolClient, { why, blocked }: RepairFacts): Promise<void> {
  await recordEvent(tx, { severity: "warning", kind: "repair.blocked", message: `${why} ${blocked}` });
}

/** `seconds` is how long copying took. */
export async function finishRepair(tx: pg.PoolClient, { id, ...facts }: OpenRepair, wanted: number, seconds: number): Promise<void> {
  const copied = facts.bytesDone > 0;
  await tx.query(
    `UPDATE repair SET state = $2, blocked = '', chunks_total = $3, chunks_done = $3, chunks_failed = 0, bytes_total = $4, bytes_done = $4,
            bytes_per_second = $5, updated_at = now(), finished_at = now()
      WHERE id = $1 AND finished_at IS NULL`,
    [id, copied ? "done" : "cancelled", facts.chunksDone, facts.bytesDone, copied ? facts.bytesDone / Math.max(seconds, 0.001) : 0],
  );
  const whole = `All chunks have ${wanted} ${wanted === 1 ? "copy" : "copies"} again`;
  const message = copied
    ? `${whole}: ${bytesInWords(facts.bytesDone)} copied in ${secondsInWords(seconds)}, every copy read back.`
    : `${whole}, and nothing had to be copied.`;
  await recordEvent(tx, { severity: "info", kind: copied ? "repair.done" : "repair.cancelled", message });
}
