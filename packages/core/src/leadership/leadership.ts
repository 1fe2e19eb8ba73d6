/**
 * Which of several controllers leads: one row in the database, an epoch that grows with every change of holder.
 *
 * Only the database's clock judges whether a lease has run out, so no two machines need to agree on the time. Holding it is
 * never enough: a process can be stopped for a minute between asking and acting. So every write of a leader goes through
 * `fenced`, which checks the epoch in the same transaction and locks the lease row until the commit, and every command to
 * a node carries the epoch, because nodes refuse one that is older than the newest they have heard.
 *
 * What nodes remember serves a second purpose: a database that was set back to an earlier state calls a lower epoch the
 * present one. For that the epoch has to grow while one leader stays, in steps that changes of leader do not catch up with.
 */
import { randomUUID } from "node:crypto";
import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { createWorker, type WorkerStatus } from "../background/index.ts";
import { recordEvent } from "../events/index.ts";
import { LeadershipError } from "./errors.ts";

const ROLE = "controller";
/** More than there will be changes of leader after a database was set back and before its nodes are asked. */
const ADVANCE = 1_000;

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
  /**
   * Raises the epoch while this process goes on leading. Commands under way may be refused by nodes that have heard the new
   * one; they are repeated with it. Rejects with `leader.not_us`.
   */
  advance(): Promise<void>;
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
  let advancing: Promise<void> = Promise.resolve();

  const become = (next: number | undefined): void => {
    if (next === epoch) return;
    epoch = next;
    onChange?.(next);
  };

  const worker = createWorker({
    name: "leadership",
    intervalMs: leaseMs / 3,
    onError,
    async step() {
      const renewed = await renew(pool, { holderId, holderName, leaseMs });
      if (renewed !== undefined && epoch !== undefined) epoch = renewed; // still the same reign, maybe advanced
      else become(renewed ?? (await take(pool, { holderId, holderName, leaseMs })));
    },
  });

  const requireEpoch = (): number => {
    if (epoch === undefined) throw notUs();
    return epoch;
  };

  /** The epoch was raised between the question for it and the lock: then there is a higher one to ask for. */
  const advanced = async (tx: pg.PoolClient, asked: number): Promise<number | undefined> => {
    await advancing;
    return epoch !== undefined && epoch > asked && (await hasLease(tx, epoch)) ? epoch : undefined;
  };

  return {
    epoch: () => epoch,
    requireEpoch,
    status: () => worker.status(),
    async fenced(work) {
      await advancing;
      return await inTransaction(pool, async (tx) => {
        const asked = requireEpoch();
        const current = (await hasLease(tx, asked)) ? asked : await advanced(tx, asked);
        if (current === undefined) {
          become(undefined);
          throw notUs();
        }
        return await work(tx, current);
      });
    },
    async advance() {
      const current = requireEpoch();
      const raiseOurs = async (): Promise<void> => {
        const next = await raise(pool, holderId);
        if (epoch === current) epoch = next;
      };
      const raising = raiseOurs();
      advancing = raising.catch(() => undefined);
      await raising;
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

async function raise(pool: pg.Pool, holderId: string): Promise<number> {
  const { rows } = await pool.query<{ epoch: number }>(
    "UPDATE lease SET epoch = epoch + $3 WHERE role = $1 AND holder_id = $2 AND expires_at > clock_timestamp() RETURNING epoch",
    [ROLE, holderId, ADVANCE],
  );
  if (rows[0] === undefined) throw notUs();
  return rows[0].epoch;
}

/** The lock lets the lease be renewed, and lets nobody take it over before this transaction has ended. */
async function hasLease(tx: pg.PoolClient, epoch: number): Promise<boolean> {
  const { rowCount } = await tx.query("SELECT FROM lease WHERE role = $1 AND epoch = $2 AND expires_at > clock_timestamp() FOR KEY SHARE", [
    ROLE,
    epoch,
  ]);
  return rowCount === 1;
}

function notUs(): LeadershipError {
  return new LeadershipError("leader.not_us", "Another controller leads now; this one changes nothing.");
}
