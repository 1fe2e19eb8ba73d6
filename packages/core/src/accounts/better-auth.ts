/**
 * better-auth, configured: its routes, its cookies, its tables.
 *
 * Two instances differ in one thing: cookies marked Secure for https, unmarked for plain http on a private network. The
 * library decides that once, and Holdfast is reached under any name, at any port, by either.
 */
import { createHash } from "node:crypto";
import type { Database } from "@holdfast/db";
import { betterAuth } from "better-auth";
import { prismaAdapter } from "better-auth/adapters/prisma";
import { createAuthMiddleware, getSessionFromCtx } from "better-auth/api";
import { admin } from "better-auth/plugins";
import { z } from "zod";
import { ensureDrive } from "../drive/index.ts";
import { recordEvent } from "../events/index.ts";
import { limits, type Logger, MINUTE_MS, SECOND_MS } from "../kernel/index.ts";
import { AccountError } from "./errors.ts";
import { ownerExists } from "./owner.ts";
import { hashPassword, verifyPassword } from "./password.ts";
import { PEER_HEADER } from "./web-request.ts";

export interface AuthOptions {
  database: Database;
  secret: string;
  logger: Logger;
  secureCookies: boolean;
  /** Throws when whoever makes the current request may not make an account. */
  admitSignUp: () => Promise<void>;
}

const seconds = (ms: number): number => ms / SECOND_MS;

/** Cookies of one host are shared by all its ports; two clusters on one machine must not sign each other's users out. */
export function cookiePrefixOf(secret: string): string {
  return `holdfast-${createHash("sha256").update(`cookie name ${secret}`).digest("hex").slice(0, 8)}`;
}

// The inferred type is the point: it knows every route of every plugin.
export function createAuth({ database, secret, logger, secureCookies, admitSignUp }: AuthOptions) {
  return betterAuth({
    appName: "Holdfast",
    secret,
    database: prismaAdapter(database.prisma, { provider: "postgresql", transaction: true }),
    telemetry: { enabled: false },
    logger: { level: "error", log: (_level, message, ...details) => logger.error({ details }, `better-auth: ${message}`) },
    emailAndPassword: {
      enabled: true,
      minPasswordLength: limits.passwordCharactersMin,
      maxPasswordLength: limits.passwordCharactersMax,
      password: { hash: hashPassword, verify: verifyPassword },
    },
    session: { expiresIn: seconds(limits.sessionExpiresAfterMs), freshAge: seconds(15 * MINUTE_MS) },
    rateLimit: {
      enabled: true,
      storage: "database",
      window: 10,
      max: 100,
      customRules: {
        "/sign-in/email": { window: 60, max: 30 },
        "/sign-up/email": { window: 60, max: 20 },
        "/get-session": false, // asked by every page; a row written for each would cost more than the answer
      },
    },
    advanced: {
      cookiePrefix: cookiePrefixOf(secret),
      useSecureCookies: secureCookies,
      disableOriginCheck: false,
      ipAddress: { ipAddressHeaders: [PEER_HEADER] },
    },
    plugins: [admin()],
    // An admin runs the cluster; reading other people's files is not part of that. Passwords are tried where tries are counted.
    disabledPaths: ["/admin/impersonate-user", "/verify-password"],
    hooks: {
      before: createAuthMiddleware(async (context) => {
        if (context.path === "/sign-up/email") await admitSignUp();
        if (ROLE_CHANGES.has(context.path)) refuseOwnDemotion(await getSessionFromCtx(context), context.body);
      }),
    },
    databaseHooks: {
      user: {
        create: {
          before: async (user) => ((await ownerExists(database)) ? undefined : { data: { ...user, role: "admin" } }),
          after: async (user) => {
            await ensureDrive(database.pool, user.id);
            if (user["role"] === "admin") await recordAdmin(database, user);
          },
        },
      },
    },
    // Its own refusals are answered all the same; the rest goes to our edge, which can tell an outage from a bug.
    onAPIError: { throw: true },
  });
}

const ROLE_CHANGES = new Set(["/admin/set-role", "/admin/update-user"]);

const roleChange = z.object({
  userId: z.coerce.string(),
  role: z.unknown().optional(),
  data: z.record(z.string(), z.unknown()).optional().catch(undefined),
});

/** A cluster without an admin would take the next visitor for its owner. Only another admin takes the rights away. */
function refuseOwnDemotion(session: { user: { id: string } } | null, body: unknown): void {
  const { success, data: change } = roleChange.safeParse(body);
  if (!success || change.userId !== session?.user.id) return;
  if ([change.role, change.data?.["role"]].every((role) => role === undefined || role === "admin")) return;
  throw new AccountError("account.own_role", "Nobody can give up an admin's rights alone. Ask another admin to take them from you.");
}

async function recordAdmin({ pool }: Database, { id, email }: { id: string; email: string }): Promise<void> {
  await recordEvent(pool, {
    severity: "info",
    kind: "admin.created",
    message: `An account with an admin's rights was made for ${email}.`,
    actorId: id,
  });
}

export type Auth = ReturnType<typeof createAuth>;
