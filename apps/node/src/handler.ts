import type { IncomingMessage } from "node:http";
import { ChunkStoreError } from "@holdfast/core/chunk-store";
import { HttpEdgeError, type RequestHandler } from "@holdfast/core/http-edge";
import { limits } from "@holdfast/core/kernel";
import { createRequestVerifier, type RequestVerifier } from "@holdfast/core/request-signing";
import { answerNodeError } from "./errors.ts";
import { type Exchange, matchPath, type Route } from "./route.ts";

/** A chunk's name says its bytes: to put it twice is to put it once. */
const REPEATABLE = new Set(["GET", "HEAD", "PUT"]);

/** Every route of the node behind one guard. Whoever takes longer than `exchangeTimeoutMs` is cut off, for others wait for the memory. */
export function createNodeHandler(
  routes: readonly Route[],
  clusterKey: string,
  exchangeTimeoutMs: number = limits.nodeExchangeTimeoutMs,
): RequestHandler {
  const verifier = createRequestVerifier(clusterKey);
  return async (req, res) => {
    const gone = new AbortController();
    res.once("close", () => gone.abort());
    const deadline = setTimeout(() => res.destroy(), exchangeTimeoutMs);
    try {
      const { route, ...found } = authorise(routes, verifier, req);
      await route.serve({ req, res, gone: gone.signal, ...found });
    } catch (error) {
      if (leavesLongBody(req)) res.setHeader("connection", "close");
      answerNodeError(res, error);
    } finally {
      clearTimeout(deadline);
    }
  };
}

/** The route that this caller may use. Strangers do not even learn which routes there are. */
function authorise(
  routes: readonly Route[],
  verifier: RequestVerifier,
  req: IncomingMessage,
): { route: Route } & Pick<Exchange, "parameter" | "query"> {
  const url = req.url!;
  const [path = "", query] = url.split("?", 2);
  const here = routes
    .flatMap((route) => ({ route, parameter: matchPath(route.path, path) }))
    .filter(({ parameter }) => parameter !== undefined);
  const found = here.find(({ route }) => route.method === req.method);
  if (!mayPass(found?.route.access, req)) requireSignature(verifier, req);
  if (found) return { route: found.route, parameter: found.parameter!, query: new URLSearchParams(query) };
  if (here.length === 0) throw new HttpEdgeError("request.not_found", "A storage node has nothing at this address.");
  const allow = here.map(({ route }) => route.method);
  throw new HttpEdgeError("request.method_not_allowed", `This address takes ${allow.join(", ")}.`, { allow });
}

function mayPass(access: Route["access"] | undefined, req: IncomingMessage): boolean {
  return access === "anyone" || (access === "loopback" && isLoopback(req.socket.remoteAddress));
}

function requireSignature(verifier: RequestVerifier, { method, url, headers }: IncomingMessage): void {
  const verdict = verifier.verify({ method: method!, path: url!, headers, repeatable: REPEATABLE.has(method!) });
  if (verdict === "valid") return;
  const remedy = verdict === "expired" ? "Set the clocks of both machines by NTP." : "Sign it with the cluster key, each time anew.";
  throw new ChunkStoreError("store.unauthenticated", `The signature of this request is ${verdict}. ${remedy}`, { verdict });
}

function isLoopback(address = ""): boolean {
  return address === "::1" || address.replace(/^::ffff:/, "").startsWith("127.");
}

/** What is left of a chunk is read and dropped, so that its sender hears the answer; more than a chunk is cut off. */
function leavesLongBody({ complete, headers }: IncomingMessage): boolean {
  const length = Number(headers["content-length"] ?? (headers["transfer-encoding"] === undefined ? 0 : Number.POSITIVE_INFINITY));
  return !complete && length > limits.chunkBytesMax;
}
