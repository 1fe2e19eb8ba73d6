/**
 * Which of several controllers leads: one row in the database, an epoch that grows with every change of holder.
 *
 * Only the database's clock judges whether a lease has run out, so no two machines need to agree on the time. Holding it is
 * never enough: a process can be stopped for a minute between asking and acting. So every write of a leader goes through
 * `fenced`, which checks the epoch in the same transaction and locks the lease row until the commit, and every command to
 * a node carries the epoch, because nodes refuse one that is older than the newest they have heard.
 */
import { randomUUID } from "node:crypto";
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { createWorker, type WorkerStatus } from "../background/index.ts";
import { recordEvent } from "../events/index.ts";
import { LeadershipError } from "./errors.ts";

const ROLE = "controller";

export interface Leadership {
  /** Of the lease this process holds as far as it knows; undefined while another leads or nobody. */
  epoch(): number | undefined;
  /** Rejects with `leader.not_us`. */
  requireEpoch(): number;
  /**
   * Runs `work` in one transaction that commits only if this process leads to its very end. Rejects with `leader.not_us`;
   * nothing of it has happened then.
   */
  fenced<T>(work: (tx: pg.PoolClient, epoch: number) => Promise<T>): Promise<T>;
  status(): WorkerStatus;
  /** Resolves after the first try to become the leader. */
  start(): Promise<void>;
  /** Gives the lease back, so that another need not wait for its end. */
  stop(): Promise<void>;
}

export interface LeadershipOptions {
  pool: pg.Pool;
  /** What operators call this controller: host and process. */
  holderName: string;
  /** How long a leader that falls silent keeps the lease. */
  leaseMs: number;
  onError: (error: unknown) => void;
  /** Called when this process begins or ceases to lead. */
  onChange?: (epoch: number | undefined) => void;
}

export function createLeadership({ pool, holderName, leaseMs, onError, onChange }: LeadershipOptions): Leadership {
  const holderId = randomUUID();
  let epoch: number | undefined;

  const become = (next: number | undefined): void => {
    if (next === epoch) return;
    epoch = next;
    onChange?.(next);
  };

  const worker = createWorker({
    name: "leadership",
    intervalMs: leaseMs / 3,
    onError,
    step: async () => become(await takeOrRenew(pool, { holderId, holderName, leaseMs })),
  });

  const requireEpoch = (): number => {
    if (epoch === undefined) throw notUs();
    return epoch;
  };

  return {
    epoch: () => epoch,
    requireEpoch,
    status: () => worker.status(),
    fenced(work) {
      return inTransaction(pool, async (tx) => {
        const current = requireEpoch();
        await requireLease(tx, current).catch((error: unknown) => {
          if (error instanceof LeadershipError) become(undefined);
          throw error;
        });
        return await work(tx, current);
      });
    },
    start: () => worker.start(),
    async stop() {
      await worker.stop();
      if (epoch === undefined) return;
      await pool.query("UPDATE lease SET expires_at = clock_timestamp() WHERE role = $1 AND epoch = $2", [ROLE, epoch]).catch(onError);
      become(undefined);
    },
  };
}

interface Candidate {
  holderId: string;
  holderName: string;
  leaseMs: number;
}

/** The epoch that this holder leads with, or undefined while somebody else's lease runs. */
async function takeOrRenew(pool: pg.Pool, candidate: Candidate): Promise<number | undefined> {
  return (await renew(pool, candidate)) ?? (await take(pool, candidate));
}

/** Waits for no fenced transaction: it changes nothing that they hold on to. */
async function renew(pool: pg.Pool, { holderId, leaseMs }: Candidate): Promise<number | undefined> {
  const { rows } = await pool.query<{ epoch: number }>(
    `UPDATE lease SET expires_at = clock_timestamp() + $3::bigint * interval '1 millisecond'
      WHERE role = $1 AND holder_id = $2 AND expires_at > clock_timestamp() RETURNING epoch`,
    [ROLE, holderId, leaseMs],
  );
  return rows[0]?.epoch;
}

/** Waits, by its `FOR UPDATE`, until every fenced transaction of the one before has ended. */
async function take(pool: pg.Pool, { holderId, holderName, leaseMs }: Candidate): Promise<number | undefined> {
  return await inTransaction(pool, async (tx) => {
    await tx.query(
      "INSERT INTO lease (role, epoch, holder_id, holder_name, expires_at) VALUES ($1, 0, $2, '', '-infinity') ON CONFLICT DO NOTHING",
      [ROLE, holderId],
    );
    const { rowCount } = await tx.query("SELECT FROM lease WHERE role = $1 AND expires_at <= clock_timestamp() FOR UPDATE", [ROLE]);
    if (rowCount === 0) return undefined;
    const { rows } = await tx.query<{ epoch: number }>(
      `UPDATE lease SET epoch = epoch + 1, holder_id = $2, holder_name = $3, expires_at = clock_timestamp() + $4::bigint * interval '1 millisecond'
        WHERE role = $1 RETURNING epoch`,
      [ROLE, holderId, holderName, leaseMs],
    );
    const { epoch } = rows[0]!;
    const message = `${holderName} leads from now on (epoch ${epoch}).`;
    await recordEvent(tx, { severity: "info", kind: "leader.changed", message, data: { epoch } });
    return epoch;
  });
}

/** The lock lets the lease be renewed, and lets nobody take it over before this transaction has ended. */
async function requireLease(tx: pg.PoolClient, epoch: number): Promise<void> {
  const { rowCount } = await tx.query("SELECT FROM lease WHERE role = $1 AND epoch = $2 AND expires_at > clock_timestamp() FOR KEY SHARE", [
    ROLE,
    epoch,
  ]);
  if (rowCount === 0) throw notUs();
}

function notUs(): LeadershipError {
  return new LeadershipError("leader.not_us", "Another controller leads now; this one changes nothing.");
}
