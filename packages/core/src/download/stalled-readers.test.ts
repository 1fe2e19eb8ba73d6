import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { limits, MiB, SECOND_MS } from "../kernel/index.ts";
import { type DriveWithContent, startDriveWithContent } from "./testing/drive-with-content.ts";

/** Far more than the sockets of a connection hold, in chunks of more than one slice. */
const BYTES = randomBytes(32 * MiB);
const CHUNK_BYTES = 1 * MiB;

let drive: DriveWithContent;
const readers: IncomingMessage[] = [];
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.destroy();
  await drive.stop();
});

/** A reader who has the head of the answer and takes nothing of its body. */
async function openAndStop(url: string): Promise<IncomingMessage> {
  const [answer] = (await once(get(url, { agent: false }), "response")) as [IncomingMessage];
  readers.push(answer);
  return answer;
}

async function expectRange(url: string): Promise<void> {
  const answer = await fetch(url, { headers: { range: "bytes=5000000-5000099" }, signal: AbortSignal.timeout(5 * SECOND_MS) });
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(BYTES.subarray(5_000_000, 5_000_100));
}

test("thirty readers stopped reading: a thirty-first gets its range at once", async () => {
  drive = await startDriveWithContent();
  const { url } = await drive.store({ bytes: BYTES, chunkBytes: CHUNK_BYTES });
  await Promise.all(Array.from({ length: 30 }, () => openAndStop(url)));
  await expectRange(url);
  expect(drive.downloads.counts().active).toBe(30);
  expect(drive.downloads.counts().bufferedBytes).toBeLessThanOrEqual(limits.downloadBufferBytes);
});

test("a reader that stood still goes on later and gets every byte", async () => {
  drive = await startDriveWithContent({ bufferBytes: limits.chunkBytesMax }); // one chunk for everybody
  const { url } = await drive.store({ bytes: BYTES, chunkBytes: CHUNK_BYTES });
  const stopped = [await openAndStop(url), await openAndStop(url), await openAndStop(url)];
  await expectRange(url);
  for (const whole of await Promise.all(stopped.map(buffer))) expect(whole.equals(BYTES)).toBe(true);
  await expect.poll(() => drive.downloads.counts()).toMatchObject({ active: 0, bufferedBytes: 0 });
});
