/** What the collector did, and what it waits for a person to decide. */
import { type GarbageRunState, inTransaction } from "@holdfast/db";
import type pg from "pg";
import { recordEvent } from "../events/index.ts";
import type { Leadership } from "../leadership/index.ts";
import { GarbageError } from "./errors.ts";
import type { Amount } from "./plan-brakes.ts";

/** `unknown-chunks` is one brake for each node. */
export type BrakeCause = "share" | "older-database" | `unknown-chunks/${number}`;

export interface GarbageRun extends Amount {
  id: number;
  at: Date;
  state: GarbageRunState;
  cause: BrakeCause | "";
  why: string;
}

/** What one step of the collector did, in chunks. */
export interface GarbageTotals {
  condemned: number;
  revived: number;
  trashed: number;
  purged: number;
  /** Condemned and purged. */
  bytes: number;
}

export interface BrakeParts {
  pool: pg.Pool;
  leadership: Pick<Leadership, "fenced">;
}

const RUN_COLUMNS = "id, at, state, cause, why, condemned AS chunks, bytes";

/** The brakes that wait for an operator now, oldest first. */
export async function listBraked(db: Pick<pg.ClientBase, "query">): Promise<GarbageRun[]> {
  const { rows } = await db.query<GarbageRun>(
    `SELECT * FROM (SELECT DISTINCT ON (cause) ${RUN_COLUMNS} FROM garbage_run ORDER BY cause, id DESC) AS latest WHERE state = 'braked' ORDER BY id`,
  );
  return rows;
}

/** What an operator let pass of this cause and nobody has used yet. */
export async function findApproval(db: Pick<pg.ClientBase, "query">, cause: BrakeCause): Promise<GarbageRun | undefined> {
  const { rows } = await db.query<GarbageRun>(`SELECT ${RUN_COLUMNS} FROM garbage_run WHERE cause = $1 ORDER BY id DESC LIMIT 1`, [cause]);
  return rows[0]?.state === "approved" ? rows[0] : undefined;
}

/** Waits for an operator. One that waits already gets the new figures and keeps its number. */
export async function brake(tx: pg.PoolClient, cause: BrakeCause, why: string, { chunks, bytes }: Amount): Promise<void> {
  const { rowCount } = await tx.query(
    `UPDATE garbage_run SET why = $2, condemned = $3, bytes = $4
      WHERE id = (SELECT max(id) FROM garbage_run WHERE cause = $1) AND state = 'braked'`,
    [cause, why, chunks, bytes],
  );
  if (rowCount === 1) return;
  await tx.query("INSERT INTO garbage_run (state, cause, why, condemned, bytes) VALUES ('braked', $1, $2, $3, $4)", [
    cause,
    why,
    chunks,
    bytes,
  ]);
  await recordEvent(tx, { severity: "error", kind: "garbage.braked", message: why, data: { cause, chunks, bytes } });
}

/** What was braked or approved for this cause is over: used up, or not needed any more. */
export async function settleBrake({ pool, leadership }: BrakeParts, cause: BrakeCause): Promise<void> {
  const { rows } = await pool.query<{ state: GarbageRunState }>("SELECT state FROM garbage_run WHERE cause = $1 ORDER BY id DESC LIMIT 1", [
    cause,
  ]);
  if (rows[0] === undefined || rows[0].state === "done") return;
  await leadership.fenced((tx) =>
    tx.query("UPDATE garbage_run SET state = 'done' WHERE id = (SELECT max(id) FROM garbage_run WHERE cause = $1)", [cause]),
  );
}

export async function recordRun(tx: pg.PoolClient, { condemned, revived, trashed, purged, bytes }: GarbageTotals): Promise<void> {
  await tx.query("INSERT INTO garbage_run (state, condemned, revived, trashed, purged, bytes) VALUES ('done', $1, $2, $3, $4, $5)", [
    condemned,
    revived,
    trashed,
    purged,
    bytes,
  ]);
}

/** Lets a braked run go on, up to the amount it named. Rejects with `garbage.not_braked`. */
export async function approveGarbageRun(pool: pg.Pool, runId: number, actor: { userId: string }): Promise<void> {
  await inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ why: string; cause: string }>(
      `UPDATE garbage_run run SET state = 'approved', at = now() WHERE id = $1 AND state = 'braked'
          AND NOT EXISTS (SELECT FROM garbage_run later WHERE later.cause = run.cause AND later.id > run.id) RETURNING why, cause`,
      [runId],
    );
    if (rows[0] === undefined)
      throw new GarbageError("garbage.not_braked", "This clean-up does not wait for a decision any more. Look at the list again.");
    const message = `An operator let the clean-up go on that was held: ${rows[0].why}`;
    await recordEvent(tx, {
      severity: "warning",
      kind: "garbage.approved",
      message,
      actorId: actor.userId,
      data: { runId, cause: rows[0].cause },
    });
  });
}
