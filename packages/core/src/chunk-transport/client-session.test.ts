import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { chunkIdOf } from "../chunking/index.ts";
import type { ClientSession } from "./client-session.ts";
import { encodeAnswer } from "./frames.ts";
import { openChunkStream } from "./handshake.ts";

const CHUNK = randomBytes(100_000);
const ID = chunkIdOf(CHUNK);

let leave: (() => unknown)[] = [];
afterEach(() => leave.splice(0).forEach((step) => step()));

/** A session with a node that does this when it is asked for the first time. */
async function sessionWith(onAsked: (socket: Socket) => void, timeoutMs = 200): Promise<ClientSession> {
  const server = createServer().listen(0, "127.0.0.1");
  server.on("upgrade", (_req, socket: Socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: holdfast-chunks/1\r\nHoldfast-Nonce: x\r\n\r\n");
    socket.once("data", () => onAsked(socket)).once("error", () => undefined);
    leave.push(() => socket.destroy());
  });
  await once(server, "listening");
  leave.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return await openChunkStream(`127.0.0.1:${port}`, "test-cluster-key-test-cluster-key", timeoutMs);
}

const header = encodeAnswer({ kind: "chunk", number: 1, length: CHUNK.length });

test.each<[string, (socket: Socket) => void]>([
  ["before its answer", () => undefined],
  ["in the middle of a header", (socket) => socket.write(header.subarray(0, 5))],
  ["after a header", (socket) => socket.write(header)],
  ["in the middle of a chunk", (socket) => socket.write(Buffer.concat([header, CHUNK.subarray(0, 70_000)]))],
])("a node that falls silent %s ends the session in time, with all that is under way", async (_when, onAsked) => {
  const session = await sessionWith(onAsked);
  const under = [session.get(ID, {}), session.get(ID, {}), session.put(ID, CHUNK)];
  const results = await Promise.allSettled(under);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(session.isOpen).toBe(false);
  await expect(session.put(ID, CHUNK)).rejects.toThrow("in time");
});

test("an answer that takes longer than one may be silent, but comes, is waited for", async () => {
  const timeoutMs = 2_000;
  const session = await sessionWith((socket) => {
    socket.write(header);
    let sent = 0;
    const more = setInterval(() => {
      socket.write(CHUNK.subarray(sent, (sent += CHUNK.length / 10)));
      if (sent >= CHUNK.length) clearInterval(more);
    }, timeoutMs / 8);
  }, timeoutMs);
  const startedAt = performance.now();
  expect((await session.get(ID, {})).equals(CHUNK)).toBe(true);
  expect(performance.now() - startedAt).toBeGreaterThan(timeoutMs);
});
