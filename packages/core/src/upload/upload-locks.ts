/**
 * One request at a time for each upload, across all gateways: PostgreSQL's advisory locks, on one connection of this
 * process.
 *
 * The newest request wins, because it is the client's own who came back after its connection broke: whoever holds the lock
 * is asked to leave, by a notification when it lives in another process, and commits what it has. A process that dies
 * loses its connection and with it all its locks, at once. A process that only loses its connection asks its own holders
 * to leave too; should one go on for a moment, the offset's compare-and-set stops it. The lock is for politeness and
 * speed, never for correctness.
 */
import { setTimeout as delay } from "node:timers/promises";
import { limits, type Logger, SECOND_MS } from "../kernel/index.ts";
import { UploadError } from "./errors.ts";
import { type LockSession, openLockSession } from "./lock-session.ts";

export interface UploadLocks {
  /** `onLeave` is called, perhaps more than once, when somebody else wants the upload. Rejects with `upload.busy`. */
  acquire(uploadId: string, onLeave: () => void): Promise<UploadLock>;
  /** Asks all holders of this process to leave, waits for them, and closes the connection. */
  stop(): Promise<void>;
}

export interface UploadLock {
  release(): Promise<void>;
}

export interface UploadLockOptions {
  databaseUrl: string;
  logger: Logger;
  timeoutMs?: number;
  answerTimeoutMs?: number;
}

/** Someone of this process who has the lock or waits for it. */
interface Claim {
  onLeave: () => void;
  /** Set when another process asked for the upload: it is told when the lock is free. */
  isWanted: boolean;
  gone: PromiseWithResolvers<void>;
}

const WANTED = "holdfast_upload_wanted";
const FREED = "holdfast_upload_freed";
/** A holder that was killed frees its lock without a word. */
const RETRY_MS = 100;
/** Its questions never wait for anybody, so a server that is well answers at once. */
const ANSWER_TIMEOUT_MS = 5 * SECOND_MS;

export function createUploadLocks({
  databaseUrl,
  logger,
  timeoutMs = limits.uploadLockTimeoutMs,
  answerTimeoutMs = ANSWER_TIMEOUT_MS,
}: UploadLockOptions): UploadLocks {
  const claims = new Map<string, Claim>();
  const freed = new Map<string, () => void>();
  let session: Promise<LockSession> | undefined;

  const onNotification = (channel: string, uploadId: string): void => {
    if (channel === FREED) return freed.get(uploadId)?.();
    const claim = claims.get(uploadId);
    if (claim === undefined) return;
    claim.isWanted = true;
    claim.onLeave();
  };

  const onLost = (error: Error | undefined): void => {
    session = undefined;
    if (error !== undefined) logger.warn({ err: error, holders: claims.size }, "the connection of the upload locks broke");
    for (const claim of claims.values()) claim.onLeave();
  };

  const opened = (): Promise<LockSession> => {
    session ??= openLockSession({
      databaseUrl,
      connectTimeoutMs: answerTimeoutMs,
      answerTimeoutMs,
      channels: [WANTED, FREED],
      onNotification,
      onLost,
    }).catch((error: unknown) => {
      session = undefined;
      throw error;
    });
    return session;
  };

  /** Resolves after a moment, or as soon as another process says that the upload is free. */
  const mayBeFree = async (uploadId: string): Promise<void> => {
    const told = new Promise<void>((resolve) => freed.set(uploadId, resolve));
    await Promise.race([told, delay(RETRY_MS)]);
    freed.delete(uploadId);
  };

  /** The session that holds the lock. Rejects with `upload.busy`. */
  const lockAcrossProcesses = async (uploadId: string, deadline: number): Promise<LockSession> => {
    for (;;) {
      const session = await opened();
      const [row] = await session.query<{ locked: boolean }>("SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked", [uploadId]);
      if (row!.locked) return session;
      if (performance.now() > deadline) throw busy();
      await session.query("SELECT pg_notify($1, $2)", [WANTED, uploadId]);
      await mayBeFree(uploadId);
    }
  };

  return {
    async acquire(uploadId, onLeave) {
      const deadline = performance.now() + timeoutMs;
      const before = claims.get(uploadId);
      const claim: Claim = { onLeave, isWanted: false, gone: Promise.withResolvers() };
      claims.set(uploadId, claim);
      const leave = (): void => {
        if (claims.get(uploadId) === claim) claims.delete(uploadId);
        claim.gone.resolve();
      };
      try {
        before?.onLeave();
        await settledBefore(deadline, before?.gone.promise);
        const session = await lockAcrossProcesses(uploadId, deadline);
        return { release: () => unlock(session, uploadId, claim).finally(leave) };
      } catch (error) {
        void (before?.gone.promise ?? Promise.resolve()).then(leave); // whoever came after us still waits for who was before
        throw error;
      }
    },
    async stop() {
      for (const claim of claims.values()) claim.onLeave();
      await Promise.all([...claims.values()].map((claim) => claim.gone.promise));
      const open = await session?.catch(() => undefined);
      await open?.end();
    },
  };
}

/** In a session that broke there is nothing left to unlock. */
async function unlock(session: LockSession, uploadId: string, { isWanted }: Claim): Promise<void> {
  const tell = isWanted ? ", pg_notify($2, $1)" : "";
  const values = isWanted ? [uploadId, FREED] : [uploadId];
  await session.query(`SELECT pg_advisory_unlock(hashtextextended($1, 0))${tell}`, values).catch(() => undefined);
}

async function settledBefore(deadline: number, settled: Promise<void> | undefined): Promise<void> {
  if (settled === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(busy()), deadline - performance.now())));
  await Promise.race([settled, late]).finally(() => clearTimeout(timer));
}

function busy(): UploadError {
  return new UploadError("upload.busy", "Another request is still sending this upload. Try again in a moment.");
}
