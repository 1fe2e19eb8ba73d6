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

/** Lines that nobody waits for are held for so long and written together: a system call and a wake-up of the reader for each would cost more than the line. */
const HELD_MS = 20;
const WARNING_LEVEL = 40;

/** Not pino's own: once its reader is gone, that one tries at exit until the end of time, and the process never leaves. */
class Output implements DestinationStream {
  /** Of the line that is about to be written: pino sets it. */
  lastLevel = 0;
  #held = "";
  #timer: NodeJS.Timeout | undefined;

  write(line: string): void {
    this.#held += line;
    if (this.lastLevel >= WARNING_LEVEL) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), HELD_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const held = this.#held;
    this.#held = "";
    if (held !== "") process.stdout.write(held);
  }
}

const output = Object.assign(new Output(), { [Symbol.for("pino.metadata")]: true }); // by which pino knows that it wants levels
process.stdout.on("error", () => undefined); // nobody is left to be told
process.on("exit", () => output.flush());

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
