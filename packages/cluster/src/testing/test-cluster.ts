/** A whole real cluster in a directory of its own, on free ports, with an owner: for cluster tests and benchmarks. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedCluster, startCluster } from "../embedded-cluster.ts";
import { readSettings } from "../settings.ts";
import { DriveClient } from "./drive-client.ts";
import { SessionClient } from "./session-client.ts";

export const OWNER = { email: "owner@example.test", password: "correct horse battery staple" } as const;

export interface TestClusterOptions {
  /** Overrides any setting. */
  environment?: Record<string, string>;
  /** Where the data directory is made; the system's own temporary directory by default. */
  directory?: string;
}

/** A cluster nobody has set up yet. */
export interface NewTestCluster extends EmbeddedCluster {
  readonly dataDirectory: string;
  /** What a person at the terminal would have seen. */
  readonly shown: readonly string[];
  /** Stops everything and removes the directory. */
  remove(): Promise<void>;
}

export interface TestCluster extends NewTestCluster {
  /** The owner, signed in to the Drive. */
  readonly owner: DriveClient;
  /** The owner, signed in to the console. */
  readonly operator: SessionClient;
}

export async function startTestCluster({ environment, directory }: TestClusterOptions = {}): Promise<TestCluster> {
  const ownerSettings = { HOLDFAST_OWNER_EMAIL: OWNER.email, HOLDFAST_OWNER_PASSWORD: OWNER.password };
  const cluster = await startNewTestCluster({ environment: { ...ownerSettings, ...environment }, directory });
  const owner = new DriveClient(cluster.driveUrl);
  const operator = new SessionClient(cluster.consoleUrl);
  await owner.signIn(OWNER.email, OWNER.password);
  await operator.signIn(OWNER.email, OWNER.password);
  return {
    ...cluster,
    owner,
    operator,
    async remove() {
      owner.close();
      operator.close();
      await cluster.remove();
    },
  };
}

export async function startNewTestCluster({ environment = {}, directory = tmpdir() }: TestClusterOptions = {}): Promise<NewTestCluster> {
  const dataDirectory = mkdtempSync(join(directory, "holdfast-cluster-"));
  const [web, admin, controller, node] = await freePorts(3, Number(environment.HOLDFAST_NODES ?? 3));
  const settings = readSettings({
    ...process.env,
    HOLDFAST_DATA_DIR: dataDirectory,
    HOLDFAST_WEB_PORT: String(web),
    HOLDFAST_ADMIN_PORT: String(admin),
    HOLDFAST_CONTROLLER_PORT: String(controller),
    HOLDFAST_NODE_PORT: String(node),
    ...environment,
  });
  const shown: string[] = [];
  const cluster = await startCluster(settings, (line) => shown.push(line));
  return {
    ...cluster,
    dataDirectory,
    shown,
    async remove() {
      await cluster.stop();
      rmSync(dataDirectory, { recursive: true, force: true });
    },
  };
}

/** `singles` single ports, then the first of `run` ports in a row. */
async function freePorts(singles: number, run: number): Promise<number[]> {
  for (;;) {
    const first = 30_000 + Math.floor(Math.random() * 2_000);
    const wanted = Array.from({ length: singles + run }, (_, index) => first + index);
    const free = await Promise.all(wanted.map(isFree));
    if (free.every(Boolean)) return wanted.slice(0, singles + 1);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
