import type { IncomingHttpHeaders } from "node:http";
import type { Accounts } from "@holdfast/core/accounts";
import type { Actor } from "@holdfast/core/drive";
import { HttpEdgeError } from "@holdfast/core/http-edge";

/** The first line of everything in the console. Throws `auth.required` or `auth.forbidden`; rejects when the database is away. */
export async function requireAdmin(accounts: Pick<Accounts, "actorOf">, headers: IncomingHttpHeaders): Promise<Actor> {
  const actor = await accounts.actorOf(headers);
  if (actor === undefined) throw new HttpEdgeError("auth.required", "Sign in as an admin to see the console.");
  if (actor.role !== "admin") {
    throw new HttpEdgeError("auth.forbidden", "The console is for admins, and this account is not one. Ask an admin to make it one.");
  }
  return actor;
}
