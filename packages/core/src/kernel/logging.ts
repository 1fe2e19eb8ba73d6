/** Structured logs: one JSON line an event, secrets redacted before they are written. */
import { type DestinationStream, type Logger, pino } from "pino";

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

/** Not pino's own: once its reader is gone, that one tries at exit until the end of time, and the process never leaves. */
const output: DestinationStream = { write: (line) => void process.stdout.write(line) };
process.stdout.on("error", () => undefined); // nobody is left to be told

/** `service` is the process's name in the logs: `web`, `admin`, `node-1`. `level` is one of pino's, or `silent`. */
export function createLogger(service: string, level = "info"): Logger {
  const options = {
    level,
    base: { service },
    redact: { paths: SECRET_PATHS, censor: "[redacted]" },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options, output);
}
