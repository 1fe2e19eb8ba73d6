import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedPostgres, startPostgres } from "../embedded/index.ts";
import { applyMigrations } from "../migrations/apply.ts";

/** A migrated PostgreSQL of one's own, for a test that does to the server what the other tests could not bear. */
export interface TestPostgres extends Pick<EmbeddedPostgres, "url" | "pid"> {
  /** Stops all its processes in their tracks: connections stay open, even new ones are taken, and nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

export async function startTestPostgres(): Promise<TestPostgres> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-test-"));
  const server = await startPostgres({
    directory: join(directory, "postgres"),
    port: await freePort(),
    password: "test",
    onLog: () => undefined,
  });
  await applyMigrations(server.url);
  const signal = (name: "SIGSTOP" | "SIGCONT"): void => {
    process.kill(server.pid, name); // the parent first: stopped, it makes no more children
    for (const pid of childrenOf(server.pid)) signalIfThere(pid, name);
  };
  return {
    url: server.url,
    pid: server.pid,
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    async stop() {
      signal("SIGCONT");
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent);
}

/** Undefined for a process that is gone meanwhile. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

/** A connection's process may end at any time. */
function signalIfThere(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
