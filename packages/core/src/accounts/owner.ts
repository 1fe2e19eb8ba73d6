/**
 * The first account of a cluster, and the lock under which there comes to be an admin, and always stays one.
 *
 * The owner is the first admin. While there is none, whoever makes an account becomes it, so every way of making one goes
 * through one lock until then: of two browsers that set up at the same moment, one wins and the other is told. Afterwards
 * admins act on accounts one after the other: of two who take each other's rights, the second has none left to do it with.
 */
import { type Database, limitSilence } from "@holdfast/db";
import pg from "pg";
import { z } from "zod";
import { limits } from "../kernel/index.ts";
import { EnvironmentError } from "../service/index.ts";
import { AccountError } from "./errors.ts";

/** Any number that nothing else locks. */
const ADMIN_LOCK = 4_701_001;

export async function ownerExists({ pool }: Database): Promise<boolean> {
  const { rows } = await pool.query<{ exists: boolean }>(`SELECT EXISTS (SELECT FROM "user" WHERE role = 'admin') AS exists`);
  return rows[0]!.exists;
}

/** One at a time in the whole cluster. On a connection of its own: waiting in the pool, many could starve the one that works. */
export async function withAdminLock<T>({ url }: Database, work: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: limits.databaseStatementMs });
  client.on("error", () => undefined); // a connection that breaks rejects what waits on it; without a listener it would end the process
  await client.connect();
  try {
    limitSilence(client, limits.databaseStatementMs);
    await client.query("SELECT pg_advisory_lock($1)", [ADMIN_LOCK]);
    limitSilence(client, 0);
    return await work();
  } finally {
    limitSilence(client, limits.databaseStatementMs);
    await client.end(); // the lock goes with the connection
  }
}

const { passwordCharactersMin: min, passwordCharactersMax: max } = limits;

const ownerShape = z.object({
  name: z.string().trim().min(1, "Enter a name.").max(100, "This name is too long. Use at most 100 characters."),
  email: z.email("This is not an e-mail address. Enter one like you@example.com."),
  password: z
    .string()
    .min(min, `This password is too short. Use at least ${min} characters.`)
    .max(max, `This password is too long. Use at most ${max} characters.`),
});

export type OwnerAccount = z.output<typeof ownerShape>;

/** Rejects with `account.invalid`, whose message names the first fault. */
export function parseOwner(owner: { name: string; email: string; password: string }): OwnerAccount {
  const parsed = ownerShape.safeParse(owner);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AccountError("account.invalid", issue!.message, { field: issue!.path.join(".") });
}

/** HOLDFAST_OWNER_EMAIL and HOLDFAST_OWNER_PASSWORD. */
export interface EnvironmentOwner {
  email: string | undefined;
  password: string | undefined;
}

/** Undefined when neither setting is given. Throws an `EnvironmentError` that names the setting at fault. */
export function ownerOfEnvironment({ email, password }: EnvironmentOwner): OwnerAccount | undefined {
  if (email === undefined && password === undefined) return undefined;
  if (email === undefined)
    throw new EnvironmentError("HOLDFAST_OWNER_PASSWORD is set, but HOLDFAST_OWNER_EMAIL is not. Set both or neither.");
  if (password === undefined)
    throw new EnvironmentError("HOLDFAST_OWNER_EMAIL is set, but HOLDFAST_OWNER_PASSWORD is not. Set both or neither.");
  try {
    return parseOwner({ name: email.split("@")[0]!, email, password });
  } catch (cause) {
    if (!(cause instanceof AccountError)) throw cause;
    const setting = cause.details["field"] === "password" ? "HOLDFAST_OWNER_PASSWORD" : "HOLDFAST_OWNER_EMAIL";
    throw new EnvironmentError(`${setting}: ${cause.message}`, { cause });
  }
}
