/** The base of every procedure: where its services come from, who calls, and what an error may say. */
import type { IncomingMessage } from "node:http";
import { type AccountErrorCode, type Accounts, type Peer, peerOf } from "@holdfast/core/accounts";
import type { Actor, DriveErrorCode } from "@holdfast/core/drive";
import type { Logger } from "@holdfast/core/kernel";
import { publicError, publicShape, quickTransformer } from "@holdfast/core/trpc-edge";
import type { Database } from "@holdfast/db";
import { initTRPC, type TRPC_ERROR_CODE_KEY, TRPCError } from "@trpc/server";
import superjson from "superjson";

/** What the procedures work with; made once, where the process is wired. */
export interface Services {
  database: Database;
  accounts: Accounts;
  logger: Logger;
  /** Copies of each chunk that the cluster is told to keep. */
  replicas: number;
  /** After so many days in the trash an entry is deleted for good; 0 for never. */
  trashKeepDays: number;
  /** A proxy in front is believed about who the client is. */
  trustProxy?: boolean;
}

export interface Context {
  services: Services;
  peer: Peer;
  /** Undefined when nobody is signed in; rejects when the database is away, because then nobody knows. */
  actor(): Promise<Actor | undefined>;
}

/** One for each request. The session is looked up once, and only if a procedure of the batch asks who calls. */
export function createContext(req: IncomingMessage, services: Services): Context {
  let actor: Promise<Actor | undefined> | undefined;
  return { services, peer: peerOf(req, services), actor: () => (actor ??= services.accounts.actorOf(req.headers)) };
}

const CODES: Record<DriveErrorCode | AccountErrorCode, TRPC_ERROR_CODE_KEY> = {
  "entry.not_found": "NOT_FOUND",
  "entry.name_taken": "CONFLICT",
  "entry.cycle": "CONFLICT",
  "entry.is_root": "CONFLICT",
  "entry.not_a_folder": "CONFLICT",
  "entry.not_a_file": "CONFLICT",
  "entry.not_trashed": "CONFLICT",
  "entry.too_deep": "CONFLICT",
  "name.invalid": "BAD_REQUEST",
  "name.too_long": "BAD_REQUEST",
  "cursor.invalid": "BAD_REQUEST",
  "drive.over_quota": "PAYLOAD_TOO_LARGE",
  "setup.done": "CONFLICT",
  "setup.wrong_code": "FORBIDDEN",
  "setup.too_many_tries": "TOO_MANY_REQUESTS",
  "account.sign_up_closed": "FORBIDDEN",
  "account.own_role": "CONFLICT",
  "account.wrong_password": "FORBIDDEN",
  "account.too_many_tries": "TOO_MANY_REQUESTS",
  "account.invalid": "BAD_REQUEST",
};

const t = initTRPC.context<Context>().create({ transformer: quickTransformer(superjson), errorFormatter: publicShape });

export const { router, createCallerFactory } = t;

/** For everybody, signed in or not. */
export const openProcedure = t.procedure.use(async ({ ctx, path, next }) => {
  const result = await next();
  if (!result.ok) throw publicError(result.error, CODES, ctx.services.logger.child({ path }));
  return result;
});

/** For whoever is signed in; `ctx.actor` bounds every query to that person's own drive. */
export const userProcedure = openProcedure.use(async ({ ctx, next }) => {
  const actor = await ctx.actor();
  if (actor === undefined) throw new TRPCError({ code: "UNAUTHORIZED", message: "You are signed out. Sign in to go on." });
  return next({ ctx: { actor, pool: ctx.services.database.pool } });
});
