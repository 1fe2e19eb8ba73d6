/**
 * PostgreSQL as one of our own processes, so that trying Holdfast needs no database server.
 *
 * What is stored: an ordinary cluster directory, usable by any PostgreSQL 18. It listens on loopback only, with a password.
 * What can go wrong: a previous server was orphaned and still holds the directory (it is stopped first); it dies while we
 * run (`exited` resolves, and whoever supervises us starts another, which recovers from its log).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { locatePostgres } from "./binaries.ts";
import { type Command, ownDirectory, unprivileged } from "./privileges.ts";

const STARTUP_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 50;
const DATABASE = "holdfast";
const SUPERUSER = "holdfast";

export interface EmbeddedPostgresOptions {
  /** The cluster directory; made when absent. Its parent must exist. */
  directory: string;
  /** TCP port on 127.0.0.1. */
  port: number;
  password: string;
  onLog: (line: string) => void;
  /** Server settings beside the durable defaults, for tests. */
  settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  readonly url: string;
  readonly pid: number;
  /** Resolves when the server process is gone, whatever the reason. */
  readonly exited: Promise<void>;
  /** Ends open sessions, writes a checkpoint and waits until the process is gone. May be called twice. */
  stop(): Promise<void>;
}

/** Starts the server and returns once it answers queries. Rejects with the server's own words when it cannot start. */
export async function startPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = locatePostgres();
  await stopOrphan(options.directory);
  if (!existsSync(join(options.directory, "PG_VERSION"))) await initialise(binaries.initdb, options);

  const server = launch({ file: binaries.postgres, args: serverArguments(options) }, options.directory);
  const lastLines = relayLog(server, options.onLog);
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));

  await untilReady(options, exited, lastLines);
  return {
    url: embeddedDatabaseUrl(options),
    pid: server.pid!,
    exited,
    async stop() {
      server.kill("SIGINT"); // "fast" shutdown: sessions end, nothing is lost
      await exited;
    },
  };
}

/** Where a server of ours answers. */
export function embeddedDatabaseUrl({ port, password }: Pick<EmbeddedPostgresOptions, "port" | "password">): string {
  return databaseUrl({ port, password }, DATABASE);
}

function databaseUrl({ port, password }: Pick<EmbeddedPostgresOptions, "port" | "password">, database: string): string {
  return `postgresql://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

function serverArguments({ directory, port, settings }: EmbeddedPostgresOptions): string[] {
  const all: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    max_connections: "200",
    shared_buffers: "128MB",
    max_wal_size: "2GB",
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    log_min_messages: "warning",
    ...settings,
  };
  return ["-D", directory, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}

async function initialise(initdb: string, { directory, password, onLog }: EmbeddedPostgresOptions): Promise<void> {
  mkdirSync(directory, { mode: 0o700, recursive: true });
  ownDirectory(directory);
  const passwordFile = `${directory}.password`;
  writeFileSync(passwordFile, password, { mode: 0o600 });
  try {
    const args = [
      `--pgdata=${directory}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--locale=C",
    ];
    const child = launch({ file: initdb, args }, directory);
    const lastLines = relayLog(child, onLog);
    const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
    if (code !== 0) throw new Error(`PostgreSQL could not be set up in ${directory}: ${lastLines()}`);
  } catch (error) {
    rmSync(directory, { recursive: true, force: true }); // half a cluster would be taken for a whole one next time
    throw error;
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function launch(command: Command, directory: string): ChildProcess {
  const { file, args } = unprivileged(command, directory);
  return spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: "/",
    detached: true, // a terminal's Ctrl-C must reach the supervisor alone, or the database would leave before its clients
    // oxlint-disable-next-line typescript/no-unnecessary-type-assertion -- where Next's types are in force, they want a NODE_ENV
    env: { PATH: process.env.PATH ?? "", LC_MESSAGES: "C", TZ: "UTC" } as unknown as NodeJS.ProcessEnv,
  });
}

/** Passes each line on, and returns a reader of the latest few, for error messages. */
function relayLog(child: ChildProcess, onLog: (line: string) => void): () => string {
  const latest: string[] = [];
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on("line", (line) => {
      latest.push(line);
      if (latest.length > 5) latest.shift();
      onLog(line);
    });
  }
  child.once("error", (error) => latest.push(error.message));
  return () => latest.join(" · ");
}

async function untilReady(options: EmbeddedPostgresOptions, exited: Promise<void>, lastLines: () => string): Promise<void> {
  let gone = false;
  void exited.then(() => (gone = true));
  const deadline = performance.now() + STARTUP_TIMEOUT_MS;
  while (performance.now() < deadline) {
    if (gone) throw new Error(`PostgreSQL did not start: ${lastLines()}`);
    if (await ensureDatabase(options)) return;
    await delay(POLL_INTERVAL_MS);
  }
  throw new Error(`PostgreSQL did not answer within ${STARTUP_TIMEOUT_MS / 1000} s: ${lastLines()}`);
}

/** True once our database exists and answers; false while the server is still starting or recovering. */
async function ensureDatabase(options: EmbeddedPostgresOptions): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl(options, "postgres") });
  client.on("error", () => undefined); // a server that stops meanwhile is seen by `exited`
  try {
    await client.connect();
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    return true;
  } catch (error) {
    if (isStillStarting(error)) return false;
    throw error;
  } finally {
    await client.end();
  }
}

function isStillStarting(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === "ECONNREFUSED" || code === "ECONNRESET" || code === "57P03";
}

/** A supervisor that was killed leaves its server behind; two servers on one directory would be refused by PostgreSQL. */
async function stopOrphan(directory: string): Promise<void> {
  const pidFile = join(directory, "postmaster.pid");
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  if (!isPostgres(pid)) return;
  process.kill(pid, "SIGINT");
  const deadline = performance.now() + STARTUP_TIMEOUT_MS;
  while (isPostgres(pid)) {
    if (performance.now() > deadline) throw new Error(`An earlier PostgreSQL (process ${pid}) still holds ${directory} and does not stop`);
    await delay(POLL_INTERVAL_MS);
  }
}

/** The number may have been given to another program since; only the server itself may be stopped. */
function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0]!.endsWith("postgres");
  } catch {
    return false; // no such process
  }
}
