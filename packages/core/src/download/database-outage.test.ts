import { randomBytes } from "node:crypto";
import { connect, createServer, type Socket } from "node:net";
import { openDatabase } from "@holdfast/db";
import { expect, test } from "vitest";
import { ByteBudget, ChunkBuffers } from "../byte-budget/index.ts";
import { createLogger, systemClock } from "../kernel/index.ts";
import { createNodeStandings } from "../node-standing/index.ts";
import { createChunkReader } from "./chunk-reader.ts";
import { openContent } from "./content-stream.ts";
import { createExtentReader } from "./extents.ts";
import { startDriveWithContent } from "./testing/drive-with-content.ts";

/** Passes connections on until they are cut. */
async function startRelay(target: URL) {
  const sockets = new Set<Socket>();
  let open = true;
  const server = createServer((client) => {
    if (!open) return void client.destroy();
    const upstream = connect(Number(target.port), target.hostname);
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) sockets.add(socket.on("error", () => undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: String((server.address() as { port: number }).port),
    set open(value: boolean) {
      open = value;
      if (!open) for (const socket of sockets) socket.destroy();
    },
    close: () => server.close(),
  };
}

test("the database goes and comes back in mid-stream: the file is read on, without a gap", async () => {
  const drive = await startDriveWithContent();
  const bytes = randomBytes(6_000);
  const { content } = await drive.store({ bytes, chunkBytes: 10 }); // 600 extents: three batches
  const url = new URL(drive.database.url);
  const relay = await startRelay(new URL(url));
  url.port = relay.port;
  const logger = createLogger("test", "silent");
  const database = openDatabase(url.href, { onError: (error) => logger.debug(error) });
  const reader = createChunkReader({
    ...drive.nodes,
    standings: createNodeStandings({ ...drive.nodes, clock: systemClock }),
    onBadCopy: () => undefined,
  });
  const source = {
    pool: database.pool,
    readExtents: createExtentReader(database.pool),
    reader,
    buffers: new ChunkBuffers(1_000),
    loans: new ByteBudget(0),
    clock: systemClock,
    window: 3,
    patienceMs: 5_000,
  };

  const parts: Buffer[] = [];
  for await (const part of openContent(source, content, new AbortController().signal)({ offset: 0, length: bytes.length })) {
    if (parts.length === 100) {
      relay.open = false;
      setTimeout(() => (relay.open = true), 500);
    }
    parts.push(Buffer.from(part)); // its memory is used again
  }
  expect(Buffer.concat(parts).equals(bytes)).toBe(true);

  relay.open = false;
  const first = openContent(source, content, new AbortController().signal)({ offset: 0, length: 10 }).next();
  await expect(first).rejects.toThrow(/Connection terminated|ECONNRESET/); // at once: the answer can still be 503
  await database.close();
  relay.close();
  await drive.stop();
});
