/** What is answered before Next gets to see a request. Every route authorises in its first line, but for health and sign-in. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { peerOf } from "@holdfast/core/accounts";
import {
  answerJson,
  answerMetrics,
  createDatabaseProbe,
  HttpEdgeError,
  RETRY_AFTER_SECONDS,
  type RequestHandler,
} from "@holdfast/core/http-edge";
import { KiB } from "@holdfast/core/kernel";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { confirm, CONFIRM_PATH, requireAdmin, requirePost } from "./access.ts";
import { clusterMetrics } from "./metrics.ts";
import { appRouter } from "./routers/index.ts";
import type { Services } from "./services.ts";
import { simulationRoute } from "./simulate.ts";

/** Operators send a few words and numbers. */
const TRPC_BODY_BYTES_MAX = 64 * KiB;

/** `pages` answers everything that is none of ours. */
export function createRoutes(services: Services, pages: RequestHandler): RequestHandler {
  const trpc = createHTTPHandler({
    router: appRouter,
    basePath: "/api/trpc/",
    createContext: ({ req }) => ({ services, headers: req.headers }),
    maxBodySize: TRPC_BODY_BYTES_MAX,
  });
  const reading: Record<string, RequestHandler> = {
    "/api/health": createHealth(services),
    "/api/cluster": (req, res) => cluster(services, req, res),
    "/metrics": (req, res) => metrics(services, req, res),
  };
  return async (req, res) => {
    const path = (req.url ?? "/").split("?", 1)[0]!;
    const read = Object.hasOwn(reading, path) ? reading[path] : undefined;
    if (read !== undefined) {
      requireReading(req);
      return await read(req, res);
    }
    if (path === CONFIRM_PATH) {
      requirePost(req);
      return await confirm(services.accounts, req, res);
    }
    if (path.startsWith("/api/auth/")) return await services.accounts.handler(req, res);
    if (path.startsWith("/api/trpc/")) {
      // A procedure can refuse only within a stream that has begun, which says 200.
      if (req.headers.accept === "text/event-stream") await requireAdmin(services.accounts, req.headers);
      return trpc(req, res);
    }
    const simulation = simulationRoute(services, path);
    if (simulation !== undefined) return await simulation(req, res);
    if (path.startsWith("/api/")) throw new HttpEdgeError("request.not_found", "There is nothing at this address.");
    return await pages(req, res);
  };
}

function createHealth({ database, controller }: Services): RequestHandler {
  const databaseAnswers = createDatabaseProbe(database.pool, (client) => client.query("SELECT 1"));
  return async (_, res) => {
    const reasons = controller.workers().flatMap(({ name, state, reason }) => (state === "failing" ? [`${name}: ${reason}`] : []));
    const answers = await databaseAnswers().then(
      () => true,
      () => false,
    );
    if (answers) answerJson(res, 200, { status: "ok", warnings: reasons });
    else {
      const unavailable = { status: "unavailable", reasons: ["The database does not answer."] };
      answerJson(res, 503, unavailable, { "retry-after": String(RETRY_AFTER_SECONDS) });
    }
  };
}

async function cluster({ accounts, clusterState }: Services, req: IncomingMessage, res: ServerResponse): Promise<void> {
  await requireAdmin(accounts, req.headers);
  answerJson(res, 200, await clusterState.read());
}

/** For a scraper on this machine, or an admin. */
async function metrics({ accounts, clusterState, controller }: Services, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (!peerOf(req).loopback) await requireAdmin(accounts, req.headers);
  answerMetrics(res, clusterMetrics(await clusterState.read(), controller.workers()));
}

function requireReading({ method }: IncomingMessage): void {
  if (method === "GET" || method === "HEAD") return;
  throw new HttpEdgeError("request.method_not_allowed", "This address can only be read.", { allow: ["GET", "HEAD"] });
}
