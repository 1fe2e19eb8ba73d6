/**
 * Whether whoever is signed in gave the password lately: a screen left alone, or a stolen cookie, is not enough for what
 * cannot be undone. To sign in counts, and so does to confirm later, for the same time. Tries are counted per account and in
 * the database, so that they cannot be spread over addresses or consoles; each wrong one is an event.
 */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Database } from "@holdfast/db";
import { isAPIError } from "better-auth/api";
import { fromNodeHeaders } from "better-auth/node";
import type { Actor } from "../drive/index.ts";
import { recordEvent } from "../events/index.ts";
import { limits, SECOND_MS } from "../kernel/index.ts";
import type { Auth } from "./better-auth.ts";
import { AccountError } from "./errors.ts";
import type { SessionToken } from "./sessions.ts";

export interface Confirmation {
  /** False for nobody, too. */
  isConfirmed(headers: IncomingHttpHeaders): Promise<boolean>;
  /** Rejects with `account.wrong_password`, or with `account.too_many_tries` without looking at the password. */
  confirm(actor: Actor, headers: IncomingHttpHeaders, password: string): Promise<void>;
}

export interface ConfirmationOptions {
  database: Database;
  tokenOf: (headers: IncomingHttpHeaders) => SessionToken | undefined;
  /** Which of better-auth's instances understands a session's cookie. */
  authOf: (token: SessionToken) => Auth;
}

export function createConfirmation({ database: { pool }, tokenOf, authOf }: ConfirmationOptions): Confirmation {
  const verify = async (headers: IncomingHttpHeaders, token: SessionToken, password: string): Promise<boolean> => {
    try {
      await authOf(token).api.verifyPassword({ headers: fromNodeHeaders(headers), body: { password } });
      return true;
    } catch (error) {
      if (isAPIError(error) && error.body?.code === "INVALID_PASSWORD") return false;
      throw error;
    }
  };
  return {
    async isConfirmed(headers) {
      const token = tokenOf(headers);
      if (token === undefined) return false;
      const { rowCount } = await pool.query(
        "SELECT FROM session WHERE token = $1 AND greatest(created_at, confirmed_at) > now() - $2::bigint * interval '1 millisecond'",
        [token.value, limits.confirmedForMs],
      );
      return rowCount === 1;
    },
    async confirm(actor, headers, password) {
      await countTry(pool, actor);
      const token = tokenOf(headers)!; // the actor was found by it
      if (!(await verify(headers, token, password))) {
        await recordWrongPassword(pool, actor);
        throw new AccountError("account.wrong_password", "The password is not right.");
      }
      await pool.query("UPDATE session SET confirmed_at = now() WHERE token = $1", [token.value]);
      await pool.query("DELETE FROM rate_limit WHERE key = $1", [triesKey(actor)]);
    },
  };
}

const triesKey = ({ userId }: Actor): string => `confirm|${userId}`;

async function countTry(pool: Database["pool"], actor: Actor): Promise<void> {
  const { rows } = await pool.query<{ count: number }>(COUNT_TRY, [randomUUID(), triesKey(actor), Date.now(), limits.confirmTriesWindowMs]);
  if (rows[0]!.count <= limits.confirmTriesMax) return;
  const message = `Too many tries. Wait ${limits.confirmTriesWindowMs / SECOND_MS} seconds, then try again.`;
  throw new AccountError("account.too_many_tries", message);
}

const COUNT_TRY = `
  INSERT INTO rate_limit (id, key, count, last_request) VALUES ($1, $2, 1, $3)
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN rate_limit.last_request <= $3 - $4::bigint THEN 1 ELSE rate_limit.count + 1 END,
    last_request = CASE WHEN rate_limit.last_request <= $3 - $4::bigint THEN $3 ELSE rate_limit.last_request END
  RETURNING count`;

async function recordWrongPassword(pool: Database["pool"], { userId }: Actor): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(`SELECT name FROM "user" WHERE id = $1`, [userId]);
  const message = `Somebody signed in as ${rows[0]?.name} gave a wrong password where it had to be confirmed.`;
  await recordEvent(pool, { severity: "warning", kind: "admin.unconfirmed", message, actorId: userId });
}
