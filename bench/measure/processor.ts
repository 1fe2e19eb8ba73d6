/** What one core can do: hash, and carry bytes over loopback. In MB/s. */
import { randomBytes } from "node:crypto";
import { connect, createServer } from "node:net";
import { chunkIdOf } from "@holdfast/core/chunking";
import { GiB, limits, MiB } from "@holdfast/core/kernel";
import { MB } from "../report/row.ts";

export function measureHash(): number {
  const chunk = randomBytes(limits.chunkBytesMax);
  const start = performance.now();
  for (let bytes = 0; bytes < GiB; bytes += chunk.length) chunkIdOf(chunk);
  return rateSince(start, GiB);
}

/** Both ends in this process: what two processes on two cores do is more. */
export async function measureLoopback(): Promise<number> {
  const part = randomBytes(1 * MiB);
  const server = createServer((socket) => {
    for (let sent = 0; sent < GiB; sent += part.length) socket.write(part);
    socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const start = performance.now();
  await new Promise((resolve, reject) => {
    const onread = { buffer: Buffer.allocUnsafeSlow(1 * MiB), callback: () => true };
    connect({ port, host: "127.0.0.1", onread }).once("close", resolve).once("error", reject);
  });
  server.close();
  return rateSince(start, GiB);
}

function rateSince(start: number, bytes: number): number {
  return bytes / ((performance.now() - start) / 1_000) / MB;
}
