import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Accounts } from "@holdfast/core/accounts";
import type { Actor } from "@holdfast/core/drive";
import { answerJson, HttpEdgeError, readJson } from "@holdfast/core/http-edge";
import { limits, MINUTE_MS, SECOND_MS } from "@holdfast/core/kernel";
import { z } from "zod";

/** The first line of everything in the console. Throws `auth.required` or `auth.forbidden`; rejects when the database is away. */
export async function requireAdmin(accounts: Pick<Accounts, "actorOf">, headers: IncomingHttpHeaders): Promise<Actor> {
  const actor = await accounts.actorOf(headers);
  if (actor === undefined) throw new HttpEdgeError("auth.required", "Sign in as an admin to see the console.");
  if (actor.role !== "admin") {
    throw new HttpEdgeError("auth.forbidden", "The console is for admins, and this account is not one. Ask an admin to make it one.");
  }
  return actor;
}

/** The first line of what cannot be undone, or what breaks something on purpose. Throws `auth.unconfirmed` as well. */
export async function requireConfirmedAdmin(
  accounts: Pick<Accounts, "actorOf" | "isConfirmed">,
  headers: IncomingHttpHeaders,
): Promise<Actor> {
  const actor = await requireAdmin(accounts, headers);
  if (await accounts.isConfirmed(headers)) return actor;
  const message = `Your password was last given more than ${limits.confirmedForMs / MINUTE_MS} minutes ago. Send {"password": …} to POST ${CONFIRM_PATH} first, or sign in again.`;
  throw new HttpEdgeError("auth.unconfirmed", message, { confirm: CONFIRM_PATH });
}

/** Takes the password of whoever is signed in once more. */
export const CONFIRM_PATH = "/api/confirm";

const confirmation = z.strictObject({ password: z.string().min(1).max(limits.passwordCharactersMax) });

export async function confirm(accounts: Pick<Accounts, "actorOf" | "confirm">, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const actor = await requireAdmin(accounts, req.headers);
  const { success, data } = confirmation.safeParse(await readJson(req));
  if (!success) throw new HttpEdgeError("request.invalid", `Send {"password": …}.`);
  await accounts.confirm(actor, req.headers, data.password);
  answerJson(res, 200, { confirmedForSeconds: limits.confirmedForMs / SECOND_MS });
}

export function requirePost({ method }: IncomingMessage): void {
  if (method !== "POST") throw new HttpEdgeError("request.method_not_allowed", "This address takes POST.", { allow: ["POST"] });
}
