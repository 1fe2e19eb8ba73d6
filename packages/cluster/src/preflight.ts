/** Everything that would stop a start half-way, asked before anything is started; each refusal names the setting to change. */
import { createHash } from "node:crypto";
import { accessSync, constants, mkdirSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { MiB } from "@holdfast/core/kernel";
import type { ClusterSettings } from "./settings.ts";

/** PostgreSQL's first files and its write-ahead log need about this much. */
const FREE_BYTES_MIN = 200 * MiB;
/** Below the range the kernel takes ports from for outgoing connections, so that nobody borrows ours while PostgreSQL restarts. */
const DATABASE_PORTS = { first: 20_000, count: 10_000 };
const PORT_MAX = 65_535;

/** A start that cannot succeed; its message is one line for whoever typed the command. */
export class StartRefusal extends Error {
  override readonly name = "StartRefusal";
}

export function requireDataDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new StartRefusal(
      `HOLDFAST_DATA_DIR: ${directory} cannot be written (${(cause as NodeJS.ErrnoException).code}). Give it to this user, or name another directory.`,
      { cause },
    );
  }
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize < FREE_BYTES_MIN) {
    const free = Math.floor((bavail * bsize) / MiB);
    throw new StartRefusal(
      `HOLDFAST_DATA_DIR: the disk of ${directory} is full (${free} MiB free, ${FREE_BYTES_MIN / MiB} MiB needed). Free some space, or name a directory on another disk.`,
    );
  }
}

export async function requireFreePorts(settings: ClusterSettings): Promise<void> {
  const wanted: [setting: string, port: number][] = [
    ["HOLDFAST_WEB_PORT", settings.webPort],
    ["HOLDFAST_ADMIN_PORT", settings.adminPort],
    ["HOLDFAST_CONTROLLER_PORT", settings.controllerPort],
    ...settings.nodePorts.map((port): [string, number] => ["HOLDFAST_NODE_PORT", port]),
  ];
  const claimed = new Map<number, string>();
  for (const [name, port] of wanted) {
    const other = claimed.get(port);
    if (other !== undefined) throw new StartRefusal(`${name}: port ${port} is also ${other}'s. Give each its own.`);
    claimed.set(port, name);
    const fault = await portFault(port, settings.bind);
    if (fault !== undefined) throw new StartRefusal(`${name}: ${fault}`);
  }
}

/** The embedded database's port: always the same for one data directory, unless something else has it. */
export async function chooseDatabasePort(dataDirectory: string): Promise<number> {
  const start = createHash("sha256").update(dataDirectory).digest().readUInt32BE() % DATABASE_PORTS.count;
  for (let step = 0; step < DATABASE_PORTS.count; step += 1) {
    const port = DATABASE_PORTS.first + ((start + step) % DATABASE_PORTS.count);
    if ((await portFault(port, "127.0.0.1")) === undefined) return port;
  }
  throw new StartRefusal("No port is free for the embedded PostgreSQL. Set DATABASE_URL to a server of your own.");
}

/** From `first` upwards. */
export async function firstFreePort(first: number, bind: string): Promise<number> {
  for (let port = first; port <= PORT_MAX; port += 1) if ((await portFault(port, bind)) === undefined) return port;
  throw new StartRefusal(`No port from ${first} on is free for another node. Set HOLDFAST_NODE_PORT to a lower one.`);
}

/** Undefined when the port can be listened on; otherwise why not, and what to do. */
function portFault(port: number, bind: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(describeFault(error, port, bind)));
    probe.listen({ port, host: bind, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}

function describeFault(error: NodeJS.ErrnoException, port: number, bind: string): string {
  switch (error.code) {
    case "EADDRINUSE":
      return `port ${port} is in use. Stop the program that has it, or choose another port.`;
    case "EACCES":
      return `this user may not listen on port ${port}. Choose one above 1023.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `this machine has no address ${bind} to listen on. Change HOLDFAST_BIND.`;
    default:
      return `port ${port} cannot be listened on (${error.code ?? error.message}).`;
  }
}
