/** For this folder's tests: a gateway on a real port and a real database, nodes with faults, and a client that may do anything. */
import { randomUUIDv7 } from "node:crypto";
import { type ClientRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import type { TestDatabase } from "@holdfast/db/testing";
import { type ChunkId, chunkIdFromBytes } from "../../chunking/index.ts";
import { type Actor, ensureDrive } from "../../drive/index.ts";
import { type HttpServer, startHttpServer } from "../../http-edge/index.ts";
import { createLogger, KiB } from "../../kernel/index.ts";
import { createChunkReplicator } from "../../replication/index.ts";
import { createTestNodes, type TestNodes } from "../../testing/index.ts";
import { createUploads, type Uploads, type UploadsOptions } from "../index.ts";

export const CHUNK_BYTES = 64 * KiB;

export interface Gateway {
  uploads: Uploads;
  nodes: TestNodes;
  address: string;
  url: string;
  /** Takes its requests as this person, unless they name another one in the header `x-actor`. */
  owner: Actor;
  stop(): Promise<void>;
}

export interface GatewayOptions extends Partial<UploadsOptions> {
  nodes?: TestNodes;
  owner?: Actor;
  people?: readonly Actor[];
}

export async function startGateway(database: TestDatabase, options: GatewayOptions = {}): Promise<Gateway> {
  const { nodes = createTestNodes(3), owner = await createActor(database), people = [] } = options;
  const logger = createLogger("test", "silent");
  const uploads = createUploads({
    database,
    membership: nodes.membership,
    replicator: createChunkReplicator({ ...nodes, replicas: 3, writeQuorum: 2, patienceMs: 200, logger }),
    chunkBytes: CHUNK_BYTES,
    sweepIntervalMs: 50,
    logger,
    ...options,
  });
  await uploads.start();
  const server: HttpServer = await startHttpServer({
    port: 0,
    bind: "127.0.0.1",
    portSetting: "TEST_PORT",
    logger,
    drainTimeoutMs: 500,
    handler: (req, res) => uploads.handle(req, res, people.find(({ userId }) => userId === req.headers["x-actor"]) ?? owner),
  });
  const address = `http://127.0.0.1:${server.address.port}`;
  return {
    uploads,
    nodes,
    address,
    url: `${address}/api/upload`,
    owner,
    async stop() {
      await Promise.all([server.stop(), uploads.stop()]);
    },
  };
}

export async function createActor({ pool }: Pick<TestDatabase, "pool">): Promise<Actor> {
  const userId = randomUUIDv7();
  await pool.query(`INSERT INTO "user" (id, name, email) VALUES ($1, 'Test', $1)`, [userId]);
  return { userId, role: "user", ...(await ensureDrive(pool, userId)) };
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Parsed, where there is any. */
  body: { error?: string; message?: string; [detail: string]: unknown };
}

/** One request with the tus header. Headers may be doubled by giving an array. */
export function send(method: string, url: string, headers: OutgoingHttpHeaders = {}, body?: Buffer): Promise<Answer> {
  const { answer, req } = open(method, url, { ...(body && { "content-length": body.length }), ...headers });
  req.end(body);
  return answer;
}

/** A request whose body the test sends itself. */
export function open(method: string, url: string, headers: OutgoingHttpHeaders = {}): { req: ClientRequest; answer: Promise<Answer> } {
  const req = request(url, { method, agent: false, headers: { "tus-resumable": "1.0.0", ...headers } });
  const answer = new Promise<Answer>((resolve, reject) => {
    req.once("error", reject);
    req.once("response", (res) => {
      const pieces: Buffer[] = [];
      res.on("data", (piece: Buffer) => pieces.push(piece));
      res.once("end", () => {
        const text = Buffer.concat(pieces).toString();
        resolve({ status: res.statusCode!, headers: res.headers, body: text === "" ? {} : (JSON.parse(text) as Answer["body"]) });
      });
    });
  });
  answer.catch(() => undefined); // a test that cuts the request does not look at its answer
  return { req, answer };
}

export const OCTETS = { "content-type": "application/offset+octet-stream" };

/** The header `Upload-Metadata`. */
export function metadata(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString("base64")}`)
    .join(",");
}

/** Creates an upload and returns its address. */
export async function create(gateway: Gateway, length: number | undefined, headers: OutgoingHttpHeaders = {}): Promise<string> {
  const answer = await send("POST", gateway.url, {
    ...(length === undefined ? { "upload-defer-length": "1" } : { "upload-length": length }),
    "upload-metadata": metadata({ filename: "file.bin" }),
    ...headers,
  });
  if (answer.status !== 201) throw new Error(`not created: ${JSON.stringify(answer)}`);
  return gateway.address + answer.headers.location!;
}

export function patch(url: string, offset: number, bytes: Buffer, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  return send("PATCH", url, { ...OCTETS, "upload-offset": offset, ...headers }, bytes);
}

export async function offsetOf(url: string): Promise<number> {
  return Number((await send("HEAD", url)).headers["upload-offset"]);
}

/** The bytes of an entry's current version, each chunk from the first node that its row names. */
export async function contentOf({ pool }: TestDatabase, nodes: TestNodes, entryId: string): Promise<Buffer> {
  const { rows } = await pool.query<{ id: Buffer; replicas: number[]; from: number; to: number }>(
    `SELECT chunk.id, chunk.replicas, chunk_offset AS "from", chunk_offset + extent.length AS "to"
       FROM entry JOIN extent ON extent.version_id = entry.current_version_id
       JOIN chunk ON chunk.id = extent.chunk_id WHERE entry.id = $1 ORDER BY extent."offset"`,
    [entryId],
  );
  return Buffer.concat(rows.map(({ id, replicas, from, to }) => stored(nodes, chunkIdFromBytes(id), replicas[0]!).subarray(from, to)));
}

/** What the first node holds. */
export function storedBytes({ all: [first] }: TestNodes): number {
  return [...first!.store.chunks.values()].reduce((sum, { length }) => sum + length, 0);
}

function stored(nodes: TestNodes, id: ChunkId, nodeId: number): Buffer {
  return nodes.all.find(({ snapshot }) => snapshot.id === nodeId)!.store.chunks.get(id)!;
}
