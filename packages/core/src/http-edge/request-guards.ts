import type { IncomingMessage } from "node:http";
import { HttpEdgeError } from "./errors.ts";

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);
const OUR_FETCH_SITES = new Set(["same-origin", "none"]);
/** Headers that only a component inside the trust boundary may set: Next's middleware, or a proxy that was configured. */
const INTERNAL_HEADER = /^x-middleware-|^x-nextjs-data$/;
const PROXY_HEADER = /^x-forwarded-|^forwarded$|^x-real-ip$/;

/**
 * Refuses a change that a page of another site asks for in the user's name. Throws `request.cross_site`.
 *
 * "Same site" is not enough: another port of this host is the same site, and so would be the console next door. Programs
 * send neither Origin nor Sec-Fetch-Site and pass; a browser always sends one of them with an unsafe method.
 */
export function checkOrigin(req: IncomingMessage): void {
  if (SAFE_METHODS.has(req.method ?? "")) return;
  const { origin, host } = req.headers;
  const fetchSite = req.headers["sec-fetch-site"];
  const foreignSite = typeof fetchSite === "string" && !OUR_FETCH_SITES.has(fetchSite);
  const foreignOrigin = origin !== undefined && hostOf(origin) !== host?.toLowerCase();
  if (foreignSite || foreignOrigin) {
    throw new HttpEdgeError(
      "request.cross_site",
      "This request came from a page of another site and was refused. Open Holdfast itself to do this.",
    );
  }
}

/** Takes away what a client has no business saying. Forwarding headers stay only when a trusted proxy is configured. */
export function stripHostileHeaders(req: IncomingMessage, { trustProxy = false }: { trustProxy?: boolean } = {}): void {
  for (const name of Object.keys(req.headers)) {
    if (INTERNAL_HEADER.test(name) || (!trustProxy && PROXY_HEADER.test(name))) delete req.headers[name];
  }
}

/** Undefined for "null", which a sandboxed frame sends, and for nonsense. */
function hostOf(origin: string): string | undefined {
  return URL.parse(origin)?.host;
}
