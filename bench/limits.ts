/** What this machine can do at all, measured in the same run: raw disk, raw loopback, raw hash. */
import { close, fdatasync, mkdtempSync, open, rmSync, write } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { chunkIdOf } from "@holdfast/core/chunking";
import { MiB } from "@holdfast/core/kernel";
import { type Result, repeat, summarise, timed } from "./measure.ts";

const CHUNK_BYTES = 4 * MiB;
const CHUNKS = 64;
const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES).fill(7);

export async function measureLimits(directory: string, rounds: number): Promise<Result[]> {
  const total = CHUNKS * CHUNK_BYTES;
  return [
    summarise("disk: a durable file per 4 MiB", await repeat(rounds, () => timed(total, [], () => writeFiles(directory, true)))),
    summarise("disk: the same, page cache only", await repeat(rounds, () => timed(total, [], () => writeFiles(directory, false)))),
    summarise("loopback: one TCP connection", await repeat(rounds, () => timed(total * 4, [], () => sendOverLoopback(total * 4)))),
    summarise("hash: BLAKE3, one core", await repeat(rounds, () => timed(total * 4, [], async () => hashChunks(CHUNKS * 4)))),
  ];
}

/** Four at a time, as a node does under load. */
async function writeFiles(directory: string, durable: boolean): Promise<void> {
  const scratch = mkdtempSync(join(directory, "limit-"));
  const numbers = Array.from({ length: CHUNKS }, (_, index) => index);
  try {
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let number = numbers.pop(); number !== undefined; number = numbers.pop())
          await writeFile(join(scratch, String(number)), durable);
      }),
    );
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function writeFile(path: string, durable: boolean): Promise<void> {
  const fd = await promisify(open)(path, "w");
  await promisify(write)(fd, buffer);
  if (durable) await promisify(fdatasync)(fd);
  await promisify(close)(fd);
}

async function sendOverLoopback(bytes: number): Promise<void> {
  let received = 0;
  const done = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on("data", (data) => {
      received += data.length;
      if (received >= bytes) done.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connect((server.address() as { port: number }).port, "127.0.0.1");
  for (let sent = 0; sent < bytes; sent += buffer.length) {
    if (!client.write(buffer)) await new Promise((resolve) => client.once("drain", resolve));
  }
  await done.promise;
  client.destroy();
  server.close();
}

function hashChunks(count: number): void {
  for (let index = 0; index < count; index += 1) chunkIdOf(buffer);
}
