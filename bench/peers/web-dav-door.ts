import type { Door, ServerProcess } from "../load/door.ts";
import { HttpPool } from "../load/http-connection.ts";
import { payload } from "../load/payload.ts";
import type { Server } from "./server.ts";

/** Files by PUT and GET: one copy, acknowledged from the page cache. */
export class WebDavDoor implements Door {
  readonly copies = 1;
  readonly #server: Server;
  readonly #http: HttpPool;

  constructor(origin: string, server: Server) {
    this.#server = server;
    this.#http = new HttpPool(origin);
  }

  processes(): ServerProcess[] {
    return [{ role: "other", pid: this.#server.pid }];
  }

  async put(name: string, length: number): Promise<void> {
    await this.#http.exchange({ method: "PUT", path: `/${name}`, headers: {}, body: { length, parts: payload(length) } }, 201);
  }

  async read(name: string, range?: { from: number; length: number }): Promise<{ firstByteMs: number }> {
    const headers = range && { range: `bytes=${range.from}-${range.from + range.length - 1}` };
    return await this.#http.exchange({ method: "GET", path: `/${name}`, headers: { ...headers } }, range ? 206 : 200);
  }

  async close(): Promise<void> {
    this.#http.close();
    await this.#server.stop();
  }
}
