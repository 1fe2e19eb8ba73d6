/**
 * What is answered before Next gets to see a request: everything that carries a user's bytes, and the app's own API.
 *
 * Paths are compared as they were sent, undecoded and whole, so that no spelling of an address reaches a handler past the
 * rules for it. Every route authorises in its first line, but for health and signing in.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { peerOf } from "@holdfast/core/accounts";
import { type Actor } from "@holdfast/core/drive";
import { answerMetrics, HttpEdgeError, type RequestHandler } from "@holdfast/core/http-edge";
import { MiB } from "@holdfast/core/kernel";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { createHealth } from "./health.ts";
import { driveMetrics } from "./metrics.ts";
import { appRouter, createContext } from "./routers/index.ts";
import type { DriveServices } from "./services.ts";

const UPLOAD = /^\/api\/upload(?:\/[^/]+)?$/;
const CONTENT = /^\/api\/files\/([^/]+)\/content$/;

/** A page of ids to move or trash fits; a file does not. */
const TRPC_BODY_BYTES_MAX = 1 * MiB;

/** `pages` answers everything that is none of ours. */
export function createRoutes(services: DriveServices, pages: RequestHandler): RequestHandler {
  const trpc = createHTTPHandler({
    router: appRouter,
    basePath: "/api/trpc/",
    createContext: ({ req }) => createContext(req, services),
    maxBodySize: TRPC_BODY_BYTES_MAX,
  });
  const health = createHealth(services);
  return async (req, res) => {
    const path = req.url!.split("?", 1)[0]!;
    if (path === "/metrics") return metrics(services, req, res);
    if (path === "/api/health") {
      requireReading(req);
      return await health(res);
    }
    if (!path.startsWith("/api/")) return await pages(req, res);

    services.preparation.require();
    if (path.startsWith("/api/auth/")) return await services.accounts.handler(req, res);
    if (path.startsWith("/api/trpc/")) return trpc(req, res);
    if (UPLOAD.test(path)) return await services.uploads.handle(req, res, await requireActor(services, req));
    const [, entryId] = CONTENT.exec(path) ?? [];
    if (entryId !== undefined) return await content(services, req, res, entryId);
    throw new HttpEdgeError("request.not_found", "There is nothing at this address.");
  };
}

async function content(services: DriveServices, req: IncomingMessage, res: ServerResponse, entryId: string): Promise<void> {
  const actor = await requireActor(services, req);
  requireReading(req);
  const query = new URLSearchParams(req.url!.split("?")[1]);
  const found = await services.findContent(actor, entryId, query.get("version") ?? undefined);
  await services.downloads.send(req, res, found, { asDownload: query.get("download") === "1" });
}

/** For a scraper on this machine. */
function metrics(services: DriveServices, req: IncomingMessage, res: ServerResponse): void {
  if (!peerOf(req, services).loopback) throw new HttpEdgeError("request.not_found", "There is nothing at this address.");
  requireReading(req);
  answerMetrics(res, driveMetrics(services));
}

async function requireActor({ accounts }: DriveServices, req: IncomingMessage): Promise<Actor> {
  const actor = await accounts.actorOf(req.headers);
  if (actor === undefined) throw new HttpEdgeError("auth.required", "You are signed out. Sign in to go on.");
  return actor;
}

function requireReading({ method }: IncomingMessage): void {
  if (method === "GET" || method === "HEAD") return;
  throw new HttpEdgeError("request.method_not_allowed", "This address can only be read.", { allow: ["GET", "HEAD"] });
}
