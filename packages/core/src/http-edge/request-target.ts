/**
 * The address in a request's first line, in the one form that everything behind works with: a path.
 *
 * A client that takes us for a proxy sends the whole URL. A server must understand that, and then the host in it counts and
 * not the Host header; everybody else may go on comparing `req.url` and `req.headers.host`, and no rule for a path is passed
 * by writing the address differently.
 */
import type { IncomingMessage } from "node:http";
import { HttpEdgeError } from "./errors.ts";

const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)/i;

/** Throws `request.bad_target` for what is neither a path nor a URL with a host. */
export function takeRequestTarget(req: IncomingMessage): void {
  const target = req.url ?? "";
  if (target.startsWith("/")) return;
  const [, host, path] = ABSOLUTE.exec(target) ?? [];
  if (host === undefined || host === "" || host.includes("@")) {
    throw new HttpEdgeError("request.bad_target", "This request names no address that can be understood.");
  }
  req.headers.host = host;
  req.url = path!.startsWith("/") ? path! : `/${path!}`;
}

/** `OPTIONS *` asks about the server as a whole, and about no address of it. */
export function isServerWide({ method, url }: IncomingMessage): boolean {
  return method === "OPTIONS" && url === "*";
}
