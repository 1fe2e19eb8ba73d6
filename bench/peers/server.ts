import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const START_PATIENCE_MS = 20_000;
const LOOK_MS = 50;

/** A peer's process in the foreground, with what it says shown only when it fails. */
export class Server {
  readonly #child: ChildProcess;
  readonly #output: string[] = [];

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) stream.on("data", (text) => void this.#output.push(String(text)));
    this.#child.once("error", (error) => void this.#output.push(error.message));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  hasSaid(text: string): boolean {
    return this.#output.join("").includes(text);
  }

  /** Waits until it is so. Rejects in the server's own words when that takes too long. */
  async until(condition: () => Promise<boolean> | boolean): Promise<void> {
    const giveUp = performance.now() + START_PATIENCE_MS;
    while (!(await condition())) {
      if (performance.now() > giveUp || this.#child.exitCode !== null) throw new Error(`It did not start: ${this.#output.join("")}`);
      await delay(LOOK_MS);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGTERM");
    await once(this.#child, "exit");
  }
}

export async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url);
    return true;
  } catch {
    return false; // not listening yet
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
