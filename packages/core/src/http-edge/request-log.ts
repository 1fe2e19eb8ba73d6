import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "../kernel/index.ts";
import { REQUEST_ID_HEADER } from "./answers.ts";

/** One line for a request when it is over: reads that went well at debug, the rest at info. Never the query, which may hold a secret. */
export function logWhenFinished(req: IncomingMessage, res: ServerResponse, logger: Logger): void {
  if (!logger.isLevelEnabled("info")) return;
  const startedAt = performance.now();
  const { method, url = "" } = req; // Next rewrites the url
  res.once("close", () => {
    const line = {
      requestId: res.getHeader(REQUEST_ID_HEADER),
      method,
      path: url.split("?", 1)[0],
      status: res.statusCode,
      durationMs: Math.round(performance.now() - startedAt),
      ...(!res.writableFinished && { cut: true }),
    };
    const uneventful = (method === "GET" || method === "HEAD") && res.statusCode < 400;
    logger[uneventful ? "debug" : "info"](line, "request");
  });
}
