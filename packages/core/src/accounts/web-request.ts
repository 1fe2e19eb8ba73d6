/** better-auth speaks the web's `Request`; this makes one of node's, whole and small. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { fromNodeHeaders } from "better-auth/node";
import { checkOrigin } from "../http-edge/index.ts";
import { KiB } from "../kernel/index.ts";
import { AccountError } from "./errors.ts";
import type { Peer } from "./peer.ts";

const BODY_BYTES_MAX = 64 * KiB;

/** Set by us on each request that we pass on; what a client sends under this name is overwritten. */
export const PEER_HEADER = "holdfast-peer-address";

export type Protocol = "http" | "https";

export function protocolOf(req: IncomingMessage, { trustProxy = false }: { trustProxy?: boolean }): Protocol {
  const forwarded = trustProxy ? req.headers["x-forwarded-proto"] : undefined;
  return forwarded === "https" || (req.socket as TLSSocket).encrypted ? "https" : "http";
}

/**
 * Reads the whole body first: nobody holds the set-up lock by sending slowly. Rejects with `account.invalid`, or with
 * `request.cross_site`: whose page asks is judged by our rule alone, the same as everywhere. better-auth's own would refuse
 * programs, which name no origin, and browsers behind a proxy that speaks https for us.
 */
export async function webRequest(req: IncomingMessage, protocol: Protocol, peer: Peer): Promise<Request> {
  checkOrigin(req);
  const url = URL.parse(`${protocol}://${req.headers.host}${req.url}`);
  if (url === null) throw new AccountError("account.invalid", "This request names no host that can be understood.");
  const headers = fromNodeHeaders(req.headers);
  headers.set(PEER_HEADER, peer.address);
  headers.set("origin", url.origin);
  const body = await readBody(req);
  return new Request(url, { method: req.method, headers, body: body.length === 0 ? undefined : body });
}

async function readBody(req: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES_MAX) throw new AccountError("account.invalid", "This request is too long.");
    parts.push(part);
  }
  return Buffer.concat(parts);
}
