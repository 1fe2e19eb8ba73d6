/** The embedded PostgreSQL, kept running: a server that dies is started again on the same port, and recovers from its log. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type EmbeddedPostgres, startPostgres } from "@holdfast/db/embedded";
import type { ServiceLog } from "./service-log.ts";

const RESTART_PAUSE_MS = 500;

export class PostgresProcess {
  readonly name = "postgres";
  readonly #options: Parameters<typeof startPostgres>[0];
  readonly #log: ServiceLog;
  readonly #onCrash: (line: string) => void;
  #server: EmbeddedPostgres | undefined;
  #wanted = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: { dataDirectory: string; port: number; password: string }, log: ServiceLog, onCrash: (line: string) => void) {
    const { dataDirectory, port, password } = options;
    this.#options = { directory: join(dataDirectory, "postgres"), port, password, onLog: (line) => log.write(line) };
    this.#log = log;
    this.#onCrash = onCrash;
  }

  /** The server's process; undefined while it is down. */
  get pid(): number | undefined {
    return this.#server?.pid;
  }

  /** Returns the database's address. */
  async start(): Promise<string> {
    this.#wanted = true;
    this.#server = await startPostgres(this.#options);
    this.#running = this.#keepAlive();
    return this.#server.url;
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    await this.#server?.stop();
    await this.#running;
  }

  async #keepAlive(): Promise<void> {
    while (this.#wanted) {
      await this.#server?.exited;
      this.#server = undefined;
      if (!this.#wanted) return;
      this.#onCrash("postgres ended");
      await delay(RESTART_PAUSE_MS);
      await this.#restart();
    }
  }

  async #restart(): Promise<void> {
    try {
      this.#server = await startPostgres(this.#options);
      if (!this.#wanted) await this.#server.stop();
    } catch (error) {
      this.#log.write(String(error)); // the loop tries again after its pause
    }
  }
}
