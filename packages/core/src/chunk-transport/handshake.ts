/**
 * How a chunk stream begins: as a signed HTTP request for another protocol, on the node's one port. Whoever refuses it does
 * so over HTTP, and whatever stands between sees a connection like a WebSocket's.
 */
import { randomBytes } from "node:crypto";
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { limits } from "../kernel/index.ts";
import { sessionKeyOf, signRequest } from "../request-signing/index.ts";
import { ClientSession } from "./client-session.ts";
import { type ChunkDoor, ServerSession } from "./server-session.ts";

const PROTOCOL = "holdfast-chunks/1";
const METHOD = "GET";
const NONCE_BYTES = 12;
const NONCE_HEADER = "holdfast-nonce";
/** By which a node says that it can be asked for a part of a chunk. A change of the protocol's name would end every stream to a node of before. */
const PARTS_HEADER = "holdfast-parts";
/** Likewise, that it takes several small chunks at once. */
const BUNDLES_HEADER = "holdfast-bundles";

/** Where a node opens chunk streams. */
export const CHUNK_STREAM_PATH = "/chunk-stream";

/** The other side answered over HTTP: it refuses, or is of a time before chunk streams. */
export class NoChunkStream extends Error {
  override readonly name = "NoChunkStream";
}

/** False as well for a request that its server has decided to answer over HTTP, and whose connection goes on with that. */
export function asksForChunkStream({ method, url, headers, upgrade }: IncomingMessage & { upgrade?: boolean }): boolean {
  return method === METHOD && url === CHUNK_STREAM_PATH && headers.upgrade === PROTOCOL && upgrade !== false;
}

/** Rejects with `NoChunkStream`, or with what went wrong on the way. `address` is `host:port`. */
export function openChunkStream(
  address: string,
  clusterKey: string,
  requestTimeoutMs: number = limits.nodeRequestTimeoutMs,
): Promise<ClientSession> {
  return new Promise((resolve, reject) => {
    const signature = signRequest(clusterKey, { method: METHOD, path: CHUNK_STREAM_PATH });
    const headers = { connection: "Upgrade", upgrade: PROTOCOL, ...signature };
    const asked = request(`http://${address}${CHUNK_STREAM_PATH}`, { method: METHOD, headers, agent: false });
    const giveUp = (): void => void asked.destroy(new Error("no answer in time"));
    let limit = setTimeout(giveUp, limits.nodeConnectTimeoutMs);
    asked.once("socket", (socket) =>
      socket.once("connect", () => {
        clearTimeout(limit);
        limit = setTimeout(giveUp, limits.nodeStreamOpenMs);
      }),
    );
    asked.once("close", () => clearTimeout(limit));
    asked.on("error", reject);
    asked.once("response", (response) => {
      asked.destroy();
      reject(new NoChunkStream(`answered ${response.statusCode}`));
    });
    asked.once("upgrade", (response, socket: Socket) => {
      const nonces = { request: signature[NONCE_HEADER], answer: String(response.headers[NONCE_HEADER]) };
      const takesParts = response.headers[PARTS_HEADER] !== undefined;
      const takesBundles = response.headers[BUNDLES_HEADER] !== undefined;
      resolve(new ClientSession(socket, sessionKeyOf(clusterKey, PROTOCOL, nonces), { requestTimeoutMs, takesParts, takesBundles }));
    });
    asked.end();
  });
}

/** Turns a request that `asksForChunkStream`, and whose signature is good, into a session. */
export function acceptChunkStream(
  req: IncomingMessage,
  res: ServerResponse,
  { clusterKey, door, exchangeTimeoutMs }: { clusterKey: string; door: ChunkDoor; exchangeTimeoutMs?: number },
): ServerSession {
  const answer = randomBytes(NONCE_BYTES).toString("base64url");
  const { socket } = req;
  res
    .writeHead(101, { connection: "Upgrade", upgrade: PROTOCOL, [NONCE_HEADER]: answer, [PARTS_HEADER]: "1", [BUNDLES_HEADER]: "1" })
    .flushHeaders();
  const nonces = { request: String(req.headers[NONCE_HEADER]), answer };
  return new ServerSession(socket, sessionKeyOf(clusterKey, PROTOCOL, nonces), door, exchangeTimeoutMs);
}
