/** `npm start` as its user meets it: starting, stopping, starting again, two at once, and what refuses to start. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const PROGRAM = join(import.meta.dirname, "main.ts");

let directory: string;
const running: ChildProcess[] = [];
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "holdfast-life-"))));
afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill("SIGTERM");
    await exitOf(child);
  }
  rmSync(directory, { recursive: true, force: true });
});

interface Started {
  child: ChildProcess;
  lines: string[];
  /** Resolves when it says that it runs. */
  ready: Promise<void>;
}

function start(basePort: number, dataDirectory = join(directory, "data"), extra: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [PROGRAM], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      HOLDFAST_DATA_DIR: dataDirectory,
      HOLDFAST_WEB_PORT: String(basePort),
      HOLDFAST_ADMIN_PORT: String(basePort + 1),
      HOLDFAST_CONTROLLER_PORT: String(basePort + 2),
      HOLDFAST_NODE_PORT: String(basePort + 3),
      ...extra,
    },
  });
  running.push(child);
  const lines: string[] = [];
  const ready = new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        if (line.includes("Ctrl-C stops everything")) resolve();
      });
    }
    child.once("exit", (code) => reject(new Error(`it ended with ${code}:\n${lines.join("\n")}`)));
  });
  ready.catch(() => undefined); // a test that expects a refusal does not wait for this
  return { child, lines, ready };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", resolve));
}

/** Process numbers of everything below `pid`, as the kernel tells it. */
function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

test.for(["SIGINT", "SIGTERM"] as const)("%s stops every process, exit code 0, and it can be started again", async (signal) => {
  const first = start(23_000);
  await first.ready;
  const processes = descendants(first.child.pid!);
  expect(processes.length).toBeGreaterThanOrEqual(6);

  first.child.kill(signal);
  expect(await exitOf(first.child)).toBe(0);
  expect(processes.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);

  await start(23_000).ready;
});

test("the supervisor is killed: nothing of the cluster outlives it, and the next start works", async () => {
  const first = start(23_100);
  await first.ready;
  const processes = descendants(first.child.pid!);
  first.child.kill("SIGKILL");
  await exitOf(first.child);
  await vi.waitFor(() => expect(processes.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]), { timeout: 20_000 });
  await start(23_100).ready;
});

test("two clusters with other ports and directories run side by side", async () => {
  const [one, two] = [start(23_200, join(directory, "one")), start(23_300, join(directory, "two"))];
  await Promise.all([one.ready, two.ready]);
  for (const port of [23_200, 23_300]) expect((await fetch(`http://127.0.0.1:${port}/api/health`)).status).toBe(200);
});

test("a port in use: one line that names the setting, exit code 1, nothing half-started", async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(23_401, "127.0.0.1", resolve));
  const refused = start(23_400);
  expect(await exitOf(refused.child)).toBe(1);
  squatter.close();
  expect(refused.lines.filter((line) => !line.startsWith("Starting"))).toEqual([
    expect.stringMatching(/^HOLDFAST_ADMIN_PORT: port 23401 is in use/),
  ]);
  expect(existsSync(join(directory, "data", "postgres"))).toBe(false);
});

test("a service that cannot start takes the whole start down, in its own words", async () => {
  const refused = start(23_500, undefined, { HOLDFAST_OWNER_EMAIL: "owner@example.test", HOLDFAST_OWNER_PASSWORD: "x" });
  expect(await exitOf(refused.child)).toBe(1);
  expect(refused.lines.join("\n")).toContain("HOLDFAST_OWNER_PASSWORD");
});
