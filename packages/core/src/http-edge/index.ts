export { answerError, answerJson, RETRY_AFTER_SECONDS } from "./answers.ts";
export { createDatabaseProbe } from "./database-probe.ts";
export { isDatabaseUnavailable } from "./database-unavailable.ts";
export { HttpEdgeError, type HttpEdgeErrorCode } from "./errors.ts";
export { readJson } from "./json-body.ts";
export { answerMetrics, type Metric } from "./metrics.ts";
export { checkOrigin, stripHostileHeaders } from "./request-guards.ts";
export { securityHeaders } from "./security-headers.ts";
export { type HttpServer, type HttpServerOptions, type RequestHandler, startHttpServer } from "./server.ts";
