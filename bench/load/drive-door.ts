import { join } from "node:path";
import type { TestCluster } from "@holdfast/cluster/testing";
import { limits } from "@holdfast/core/kernel";
import { withDatabase } from "../measure/database.ts";
import { bytesOnDisk } from "../measure/footprint.ts";
import type { Door, ServerProcess } from "./door.ts";
import { headerOf, type HttpAnswer } from "./http-connection.ts";
import { TusClient } from "./tus-client.ts";

/** The Drive by tus, as its browser and other clients speak it. */
export class DriveDoor implements Door {
  readonly copies: number = limits.replicas;
  readonly #cluster: TestCluster;
  readonly #tus: TusClient;
  readonly #entries = new Map<string, string>();

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    this.#tus = new TusClient({ origin: cluster.driveUrl, path: "/api/upload", headers: cluster.owner.session });
  }

  processes(): ServerProcess[] {
    return serverProcesses(this.#cluster);
  }

  async put(name: string, length: number): Promise<void> {
    const { head } = await this.#tus.put(name, length);
    const entryId = headerOf(head, "holdfast-entry-id");
    if (entryId === undefined) throw new Error(`The last byte of ${name} was answered without a file: ${head}`);
    this.#entries.set(name, entryId);
  }

  async putInChunks(name: string, length: number, took: (ms: number) => void): Promise<void> {
    const path = await this.#tus.create(name, length);
    for (let at = 0; at < length; at += limits.chunkBytesMax) {
      const start = performance.now();
      await this.#tus.patch(path, at, Math.min(limits.chunkBytesMax, length - at));
      took(performance.now() - start);
    }
  }

  async read(name: string, range?: { from: number; length: number }): Promise<{ firstByteMs: number }> {
    const part = range && { range: `bytes=${range.from}-${range.from + range.length - 1}` };
    return await this.#get(`/api/files/${this.entryOf(name)}/content`, range ? 206 : 200, part);
  }

  async footprint(): Promise<{ data: number; metadata: number }> {
    const { dataDirectory, databaseUrl } = this.#cluster;
    const { rows } = await withDatabase(databaseUrl, ({ pool }) =>
      pool.query<{ bytes: number }>("SELECT pg_database_size(current_database()) AS bytes"),
    );
    return { data: bytesOnDisk(join(dataDirectory, "nodes")), metadata: rows[0]!.bytes };
  }

  /** The id of a file that was put. */
  entryOf(name: string): string {
    const id = this.#entries.get(name);
    if (id === undefined) throw new Error(`${name} was never put there`);
    return id;
  }

  /** One page of the Drive's own list. */
  async list(input: object): Promise<HttpAnswer> {
    return await this.#get(`/api/trpc/entries.list?input=${encodeURIComponent(JSON.stringify({ json: input }))}`, 200);
  }

  close(): Promise<void> {
    this.#tus.http.close();
    return Promise.resolve();
  }

  async #get(path: string, status: number, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return await this.#tus.http.exchange({ method: "GET", path, headers: { ...this.#cluster.owner.session, ...headers } }, status);
  }
}

/** The console is no part of the byte path and does not count. */
export function serverProcesses({ drive, nodes, postgres }: TestCluster): ServerProcess[] {
  const of = (role: ServerProcess["role"], services: readonly ({ pid: number | undefined } | undefined)[]): ServerProcess[] =>
    services.flatMap((service) => (service?.pid === undefined ? [] : [{ role, pid: service.pid }]));
  return [...of("gateway", [drive]), ...of("node", nodes), ...of("other", [postgres])];
}
