import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Door, ServerProcess } from "../load/door.ts";
import { payload } from "../load/payload.ts";
import { hasCommand, type Peer } from "./peer.ts";
import { freePort, Server } from "./server.ts";

const CHUNK_SERVERS = 3;
const EMPTY_METADATA = "/var/lib/mfs/metadata.mfs.empty";
const READ_BYTES = 1 << 20;

/**
 * A master and three chunk servers, goal 3, mounted through FUSE, so it needs root. Chunk servers are told to sync, and each
 * file is synced before it is closed; the master's own log is written without a sync, as it comes.
 */
export const moosefs: Peer = {
  name: "moosefs",
  packages: "moosefs-master moosefs-chunkserver moosefs-client",
  title: "MooseFS goal 3, 3 copies, synced",
  isInstalled: () => hasCommand("mfsmaster", "mfschunkserver", "mfsmount", "mfssetgoal") && process.getuid?.() === 0,
  async open(directory) {
    const ports = { metalogger: await freePort(), chunkServers: await freePort(), clients: await freePort() };
    const servers = [startMaster(directory, ports)];
    for (let number = 1; number <= CHUNK_SERVERS; number += 1)
      servers.push(startChunkServer(join(directory, `chunks-${number}`), ports.chunkServers, await freePort()));
    const mountPoint = join(directory, "mounted");
    mkdirSync(mountPoint);
    const mount = new Server("mfsmount", ["-f", "-H", "127.0.0.1", "-P", String(ports.clients), mountPoint]);
    await mount.until(() => run("mountpoint", "-q", mountPoint));
    await mount.until(() => run("mfssetgoal", String(CHUNK_SERVERS), mountPoint));
    await mount.until(() => run("sh", "-c", `[ $(df -P "$0" | awk 'NR==2 {print $4}') -gt 0 ]`, mountPoint)); // some chunk server has registered
    return new MountedDoor(mountPoint, mount, servers);
  },
};

function startMaster(directory: string, ports: { metalogger: number; chunkServers: number; clients: number }): Server {
  const home = join(directory, "master");
  mkdirSync(home);
  copyFileSync(EMPTY_METADATA, join(home, "metadata.mfs"));
  writeFileSync(join(home, "exports"), "* / rw,alldirs,admin,maproot=0:0\n");
  const configuration = write(home, {
    WORKING_USER: "root",
    DATA_PATH: home,
    EXPORTS_FILENAME: join(home, "exports"),
    MATOML_LISTEN_HOST: "127.0.0.1",
    MATOML_LISTEN_PORT: ports.metalogger,
    MATOCS_LISTEN_HOST: "127.0.0.1",
    MATOCS_LISTEN_PORT: ports.chunkServers,
    MATOCL_LISTEN_HOST: "127.0.0.1",
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
    DATA_PATH: home,
    HDD_CONF_FILENAME: join(home, "disks"),
    HDD_FSYNC_BEFORE_CLOSE: 1,
    MASTER_HOST: "127.0.0.1",
    MASTER_PORT: masterPort,
    CSSERV_LISTEN_HOST: "127.0.0.1",
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

class MountedDoor implements Door {
  readonly copies = CHUNK_SERVERS;
  readonly #mountPoint: string;
  readonly #mount: Server;
  readonly #servers: readonly Server[];

  constructor(mountPoint: string, mount: Server, servers: readonly Server[]) {
    this.#mountPoint = mountPoint;
    this.#mount = mount;
    this.#servers = servers;
  }

  /** The mount does what our gateway does. */
  processes(): ServerProcess[] {
    return [
      { role: "gateway", pid: this.#mount.pid },
      ...this.#servers.map(({ pid }, index) => ({ role: index === 0 ? ("other" as const) : ("node" as const), pid })),
    ];
  }

  async put(name: string, length: number): Promise<void> {
    await using file = await open(join(this.#mountPoint, name), "w");
    for (const part of payload(length)) await file.write(part);
    await file.datasync();
  }

  async read(
    name: string,
    { from, length }: { from: number; length: number } = { from: 0, length: Infinity },
  ): Promise<{ firstByteMs: number }> {
    const start = performance.now();
    let firstByteMs = Number.NaN;
    await using file = await open(join(this.#mountPoint, name), "r");
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, length));
    for (let at = from; at < from + length;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (at === from) firstByteMs = performance.now() - start;
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return { firstByteMs };
  }

  async close(): Promise<void> {
    run("umount", "-l", this.#mountPoint);
    await this.#mount.stop();
    for (const server of this.#servers.toReversed()) await server.stop();
  }
}
