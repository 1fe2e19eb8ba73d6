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
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: holdfast-chunks/1\r\nHoldfast-Nonce: x\r\nHoldfast-Parts: 1\r\n\r\n",
    );
    socket.once("data", () => onAsked(socket)).once("error", () => undefined);
    leave.push(() => socket.destroy());
  });
  await once(server, "listening");
  leave.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  return await openChunkStream(`127.0.0.1:${port}`, "test-cluster-key-test-cluster-key", timeoutMs);
}

const header = encodeAnswer({ kind: "chunk", number: 1, length: CHUNK.length });

/** Much shorter than a session may rest, much longer than one that is over takes to say so. */
const patience = { timeout: 10_000 };

test.each<[string, (socket: Socket) => void]>([
  ["before its answer", () => undefined],
  ["in the middle of a header", (socket) => socket.write(header.subarray(0, 5))],
  ["after a header", (socket) => socket.write(header)],
  ["in the middle of a chunk", (socket) => socket.write(Buffer.concat([header, CHUNK.subarray(0, 70_000)]))],
])("a node that falls silent %s ends the session in time", patience, async (_when, onAsked) => {
  const session = await sessionWith(onAsked);
  await expect(session.get(ID, {})).rejects.toThrow("in time");
  expect(session.isOpen).toBe(false);
});

test("what is under way and what comes too late hears of the end alike", async () => {
  const session = await sessionWith((socket) => socket.destroy());
  const results = await Promise.allSettled([session.get(ID, {}), session.put(ID, CHUNK), session.get(ID, {})]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  await expect(session.put(ID, CHUNK)).rejects.toThrow(/connection ended|ECONNRESET/);
});

test("one request is never answered: it ends the session in time, however many others are", patience, async () => {
  const session = await sessionWith((socket) => {
    let number = 1;
    const others = setInterval(() => {
      socket.write(Buffer.concat([encodeAnswer({ kind: "chunk", number: ++number, length: CHUNK.length }), CHUNK]));
      void session.get(ID, {}).catch(() => undefined);
    }, 20);
    leave.push(() => clearInterval(others));
  });
  const unanswered = session.get(ID, {});
  for (let others = 0; others < 5; others++) session.get(ID, {}).catch(() => undefined);
  await expect(unanswered).rejects.toThrow("no answer in time");
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

const part = Buffer.concat([encodeAnswer({ kind: "part", number: 1, length: 10 }), CHUNK.subarray(0, 10)]);
const seal = Buffer.concat([encodeAnswer({ kind: "seal", number: 1, length: 16 }), randomBytes(16)]);

test.each<[string, Buffer]>([
  ["without its seal", part],
  ["with two seals", Buffer.concat([seal, seal, part])],
  ["with a refusal behind its seal", Buffer.concat([seal, encodeAnswer({ kind: "refusal", number: 1, length: 2 }), Buffer.from("{}")])],
])("a part %s ends the session", async (_how, answer) => {
  const session = await sessionWith((socket) => socket.write(answer));
  await expect(session.getPart(ID, { from: 0, to: 10 }, {})).rejects.toThrow("another question");
  expect(session.isOpen).toBe(false);
});

test("a part with somebody else's seal is not what was sent", async () => {
  const session = await sessionWith((socket) => socket.write(Buffer.concat([seal, part])));
  await expect(session.getPart(ID, { from: 0, to: 10 }, {})).rejects.toThrow("arrived damaged");
});

test("nothing comes behind a seal: that ends the session in time, however many others are answered", patience, async () => {
  const session = await sessionWith((socket) => {
    socket.write(seal);
    let number = 1;
    const others = setInterval(() => {
      socket.write(Buffer.concat([encodeAnswer({ kind: "chunk", number: ++number, length: CHUNK.length }), CHUNK]));
      void session.get(ID, {}).catch(() => undefined);
    }, 20);
    leave.push(() => clearInterval(others));
  });
  const sealed = session.getPart(ID, { from: 0, to: 10 }, {});
  for (let others = 0; others < 5; others++) session.get(ID, {}).catch(() => undefined);
  await expect(sealed).rejects.toThrow("no answer in time");
});
