import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { CLUSTER_KEY } from "./test-node.ts";

const PROGRAM = join(import.meta.dirname, "../main.ts");

export interface NodeProcess {
  pid: number;
  port: number;
  /** False when it refused to start. */
  ready: boolean;
  /** The exit code, or null after a signal. */
  exited: Promise<number | null>;
  /** What it told whoever started it. */
  stderr(): string;
  log(): string;
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/** A storage node as a process of its own. Resolves when it serves, or has refused to start. */
export async function spawnNode(data: string, environment: NodeJS.ProcessEnv = {}): Promise<NodeProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [PROGRAM], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: {
      PATH: process.env.PATH,
      HOLDFAST_DATA_DIR: data,
      HOLDFAST_NODE_PORT: String(port),
      HOLDFAST_NODE_RESERVE_BYTES: "0",
      HOLDFAST_CONTROLLER_ADDRESS: "127.0.0.1:1",
      HOLDFAST_CLUSTER_KEY: CLUSTER_KEY,
      ...environment,
    },
  });
  let stderr = "";
  let log = "";
  child.stderr!.on("data", (part) => (stderr += String(part)));
  child.stdout!.on("data", (part) => (log += String(part)));
  const exited = once(child, "close").then(([code]) => code as number | null);
  const ready = await Promise.race([once(child, "message").then(() => true), exited.then(() => false)]);
  return {
    pid: child.pid!,
    port,
    ready,
    exited,
    stderr: () => stderr,
    log: () => log,
    kill(signal) {
      child.kill(signal);
      return exited;
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
