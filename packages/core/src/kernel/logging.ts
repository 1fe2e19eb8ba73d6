/** Structured logs: one JSON line an event, secrets redacted before they are written. */
import { type Logger, pino } from "pino";

export type { Logger };

const SECRET_PATHS = [
  "*.authorization",
  "*.cookie",
  "*.password",
  "*.secret",
  "*.clusterKey",
  "req.headers.authorization",
  "req.headers.cookie",
  'res.headers["set-cookie"]',
];

/** `service` is the process's name in the logs: `web`, `admin`, `node-1`. `level` is one of pino's, or `silent`. */
export function createLogger(service: string, level = "info"): Logger {
  return pino({
    level,
    base: { service },
    redact: { paths: SECRET_PATHS, censor: "[redacted]" },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}
