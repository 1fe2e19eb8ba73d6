import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Database } from "@holdfast/db";
import { parseCookies } from "better-call";
import { type Actor, ensureDrive } from "../drive/index.ts";
import { createGathering } from "../gathering/index.ts";
import { cookiePrefixOf } from "./better-auth.ts";

const LOOKED_UP_AT_ONCE = 256;

interface SessionRow {
  token: string;
  userId: string;
  role: string | null;
  driveId: string | null;
  rootId: string | null;
}

/**
 * Looks up who is signed in: one query for all who ask at one moment, and nothing kept, so that signing out, a ban or a
 * deleted account count at once on every gateway. Undefined for no cookie, a forged one, an expired or revoked session, and for whoever is banned.
 */
export function createSessionReader(
  database: Database,
  tokenOf: (headers: IncomingHttpHeaders) => SessionToken | undefined,
): (headers: IncomingHttpHeaders) => Promise<Actor | undefined> {
  const readSession = createGathering({
    itemsMax: LOOKED_UP_AT_ONCE,
    work: (_, tokens: readonly string[]) => readSessions(database, tokens),
  });
  return async (headers) => {
    const token = tokenOf(headers);
    const session = token === undefined ? undefined : await readSession("", token.value);
    return session === undefined ? undefined : await actorOf(database, session);
  };
}

/** What a request's cookie names, which need not be a session any more. */
export interface SessionToken {
  value: string;
  /** The cookie was made for https. */
  isSecure: boolean;
}

const COOKIES_KNOWN_MAX = 1_000;

/** Undefined for no cookie and for a forged one. Whoever comes again sends the same: what was verified stays so, whatever the session. */
export function createTokenReader(secret: string): (headers: IncomingHttpHeaders) => SessionToken | undefined {
  const name = `${cookiePrefixOf(secret)}.session_token`;
  const known = new Map<string, SessionToken>();
  return ({ cookie }) => {
    if (cookie === undefined) return undefined;
    const token = known.get(cookie) ?? readToken(cookie, name, secret);
    if (known.size >= COOKIES_KNOWN_MAX) known.clear();
    if (token !== undefined) known.set(cookie, token);
    return token;
  };
}

function readToken(cookie: string, name: string, secret: string): SessionToken | undefined {
  const cookies = parseCookies(cookie);
  const secure = cookies.get(`__Secure-${name}`);
  const value = verifiedToken(secure ?? cookies.get(name), secret);
  return value === undefined ? undefined : { value, isSecure: secure !== undefined };
}

/** better-auth's cookie: the token, a dot, and the token's HMAC-SHA256 in Base64. */
function verifiedToken(value: string | undefined, secret: string): string | undefined {
  const dot = value?.lastIndexOf(".") ?? -1;
  if (value === undefined || dot < 1) return undefined;
  const token = value.slice(0, dot);
  const expected = createHmac("sha256", secret).update(token).digest();
  const given = Buffer.from(value.slice(dot + 1), "base64");
  return given.length === expected.length && timingSafeEqual(given, expected) ? token : undefined;
}

async function readSessions({ pool }: Database, tokens: readonly string[]): Promise<(SessionRow | undefined)[]> {
  const { rows } = await pool.query<SessionRow>({
    name: "accounts-sessions",
    text: `SELECT s.token, u.id AS "userId", u.role, d.id AS "driveId", r.id AS "rootId"
     FROM session s JOIN "user" u ON u.id = s.user_id
     LEFT JOIN drive d ON d.owner_id = u.id LEFT JOIN entry r ON r.drive_id = d.id AND r.parent_id IS NULL
     WHERE s.token = ANY ($1) AND s.expires_at > now() AND (u.banned IS NOT TRUE OR u.ban_expires <= now())`,
    values: [[...new Set(tokens)]],
  });
  const found = new Map(rows.map((row) => [row.token, row]));
  return tokens.map((token) => found.get(token));
}

async function actorOf({ pool }: Database, { userId, role, driveId, rootId }: SessionRow): Promise<Actor> {
  const drive = driveId !== null && rootId !== null ? { driveId, rootId } : await ensureDrive(pool, userId);
  return { userId, role: role === "admin" ? "admin" : "user", ...drive };
}
