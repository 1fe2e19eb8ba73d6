import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { Door, ServerProcess } from "../load/door.ts";
import { payload } from "../load/payload.ts";
import { hasCommand, type Peer } from "./peer.ts";
import { freePort, Server } from "./server.ts";

const CHUNK_SERVERS = 3;
const EMPTY_METADATA = "/var/lib/mfs/metadata.mfs.empty";
const READ_BYTES = 1 << 20;
/** Its chunk servers refuse a master on loopback. */
const HOST = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

/**
 * A master and three chunk servers, goal 3, mounted through FUSE, so it needs root. Chunk servers are told to sync, and each
 * file is synced before it is closed. Even so they sync a chunk when they close it, a tenth of a second after the answer
 * (strace shows it), and the master never syncs its log. Their priority is anybody else's: they would raise it.
 */
export const moosefs: Peer = {
  name: "moosefs",
  packages: "moosefs-master moosefs-chunkserver moosefs-client",
  title: "MooseFS goal 3, 3 copies, synced after the answer",
  isInstalled: () => hasCommand("mfsmaster", "mfschunkserver", "mfsmount", "mfssetgoal") && process.getuid?.() === 0 && HOST !== undefined,
  async open(directory) {
    await using undo = new AsyncDisposableStack();
    const ports = { metalogger: await freePort(), chunkServers: await freePort(), clients: await freePort() };
    const master = startMaster(directory, ports);
    undo.defer(() => master.stop());
    const chunkServers: Server[] = [];
    for (let number = 1; number <= CHUNK_SERVERS; number += 1) {
      const server = startChunkServer(join(directory, `chunks-${number}`), ports.chunkServers, await freePort());
      undo.defer(() => server.stop());
      chunkServers.push(server);
    }
    for (const server of chunkServers) await server.until(() => server.hasSaid("connected to Master"));
    const mountPoint = join(directory, "mounted");
    mkdirSync(mountPoint);
    const mount = new Server("mfsmount", ["-f", "-H", HOST!, "-P", String(ports.clients), "-o", "mfsnice=0", mountPoint]);
    undo.defer(() => mount.stop());
    await mount.until(() => run("mountpoint", "-q", mountPoint));
    undo.defer(() => void run("umount", "-l", mountPoint));
    await mount.until(() => run("mfssetgoal", String(CHUNK_SERVERS), mountPoint));
    return new MountedDoor(mountPoint, { mount, master, chunkServers }, undo.move());
  },
};

function startMaster(directory: string, ports: { metalogger: number; chunkServers: number; clients: number }): Server {
  const home = join(directory, "master");
  mkdirSync(home);
  copyFileSync(EMPTY_METADATA, join(home, "metadata.mfs"));
  writeFileSync(join(home, "exports"), "* / rw,alldirs,admin,maproot=0:0\n");
  const configuration = write(home, {
    WORKING_USER: "root",
    NICE_LEVEL: 0,
    DATA_PATH: home,
    EXPORTS_FILENAME: join(home, "exports"),
    MATOML_LISTEN_HOST: HOST!,
    MATOML_LISTEN_PORT: ports.metalogger,
    MATOCS_LISTEN_HOST: HOST!,
    MATOCS_LISTEN_PORT: ports.chunkServers,
    MATOCL_LISTEN_HOST: HOST!,
    MATOCL_LISTEN_PORT: ports.clients,
  });
  return new Server("mfsmaster", ["-f", "-c", configuration, "start"]);
}

function startChunkServer(home: string, masterPort: number, port: number): Server {
  const data = join(home, "data");
  mkdirSync(data, { recursive: true });
  writeFileSync(join(home, "disks"), `${data}\n`);
  const configuration = write(home, {
    WORKING_USER: "root",
    NICE_LEVEL: 0,
    DATA_PATH: home,
    HDD_CONF_FILENAME: join(home, "disks"),
    HDD_FSYNC_BEFORE_CLOSE: 1,
    MASTER_HOST: HOST!,
    MASTER_PORT: masterPort,
    CSSERV_LISTEN_HOST: HOST!,
    CSSERV_LISTEN_PORT: port,
  });
  return new Server("mfschunkserver", ["-f", "-c", configuration, "start"]);
}

function write(home: string, settings: Record<string, string | number>): string {
  const path = join(home, "configuration");
  writeFileSync(
    path,
    Object.entries(settings)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join(""),
  );
  return path;
}

function run(command: string, ...args: string[]): boolean {
  return spawnSync(command, args).status === 0;
}

interface Processes {
  mount: Server;
  master: Server;
  chunkServers: readonly Server[];
}

class MountedDoor implements Door {
  readonly copies = CHUNK_SERVERS;
  readonly #mountPoint: string;
  readonly #processes: Processes;
  readonly #stack: AsyncDisposableStack;

  constructor(mountPoint: string, processes: Processes, stack: AsyncDisposableStack) {
    this.#mountPoint = mountPoint;
    this.#processes = processes;
    this.#stack = stack;
  }

  /** The mount does what our gateway does. */
  processes(): ServerProcess[] {
    const { mount, master, chunkServers } = this.#processes;
    const nodes = chunkServers.map(({ pid }) => ({ role: "node" as const, pid }));
    return [{ role: "gateway", pid: mount.pid }, { role: "other", pid: master.pid }, ...nodes];
  }

  async put(name: string, length: number): Promise<void> {
    await using file = await open(join(this.#mountPoint, name), "w");
    for (const part of payload(length)) await file.write(part);
    await file.datasync();
  }

  async read(name: string, range = { from: 0, length: Infinity }): Promise<{ firstByteMs: number }> {
    const start = performance.now();
    await using file = await open(join(this.#mountPoint, name), "r");
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, range.length));
    let firstByteMs = Number.NaN;
    for (let read = 0; read < range.length;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, range.from + read);
      if (read === 0) firstByteMs = performance.now() - start;
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return { firstByteMs };
  }

  async close(): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
