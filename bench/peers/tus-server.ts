import { join } from "node:path";
import type { Door, ServerProcess } from "../load/door.ts";
import { TusClient } from "../load/tus-client.ts";
import type { Peer } from "./peer.ts";
import { answers, freePort, Server } from "./server.ts";

const PROGRAM = join(import.meta.dirname, "tus-server-program.ts");

/** The reference server of the protocol that we speak, with its own file store. It never syncs, and gives nothing back. */
export const tusServer: Peer = {
  name: "tus-server",
  packages: "npm install --no-save @tus/file-store",
  title: "@tus/server with file-store, 1 copy, page cache",
  isInstalled: () => ["@tus/server", "@tus/file-store"].every(isResolved),
  async open(directory) {
    const port = await freePort();
    const server = new Server(process.execPath, [PROGRAM, directory, String(port)]);
    const origin = `http://127.0.0.1:${port}`;
    await server.until(() => answers(origin));
    return new TusServerDoor(origin, server);
  },
};

function isResolved(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

class TusServerDoor implements Door {
  readonly copies = 1;
  readonly #tus: TusClient;
  readonly #server: Server;

  constructor(origin: string, server: Server) {
    this.#tus = new TusClient({ origin, path: "/files" });
    this.#server = server;
  }

  processes(): ServerProcess[] {
    return [{ role: "other", pid: this.#server.pid }];
  }

  async put(name: string, length: number): Promise<void> {
    await this.#tus.put(name, length);
  }

  async close(): Promise<void> {
    this.#tus.http.close();
    await this.#server.stop();
  }
}
