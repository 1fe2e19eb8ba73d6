import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type DriveWithContent, startDriveWithContent } from "./testing/drive-with-content.ts";

let drive: DriveWithContent;
beforeAll(async () => {
  drive = await startDriveWithContent({ patienceMs: 3_000 });
});
afterAll(() => drive.stop());

const BYTES = randomBytes(10_500); // eleven chunks, the last one short
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());
const ranged = (url: string, range: string, headers = {}) => fetch(url, { headers: { range, ...headers } });

test("a file arrives whole, with its length, tag, date and name", async () => {
  const { url, content } = await drive.store({ bytes: BYTES, name: "資料 🦭.png", mediaType: "image/png" });
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    "content-length": "10500",
    "content-type": "image/png",
    etag: `"${content.versionId}"`,
    "last-modified": content.modifiedAt.toUTCString(),
    "accept-ranges": "bytes",
    "cache-control": "private, no-cache",
    "content-disposition": "inline; filename=\"__ _.png\"; filename*=UTF-8''%E8%B3%87%E6%96%99%20%F0%9F%A6%AD.png",
    "content-security-policy": expect.stringMatching(/^sandbox; default-src 'none'/),
    "x-content-type-options": "nosniff",
  });
  expect(await bytesOf(answer)).toEqual(BYTES);
  expect((await fetch(`${url}?download=1`)).headers.get("content-disposition")).toMatch(/^attachment/);
});

test("HEAD says what GET would, without a byte and without asking a node", async () => {
  const { url } = await drive.store({ bytes: BYTES });
  const reads = () => drive.nodes.all.reduce((sum, node) => sum + node.reads, 0);
  const before = reads();
  const answer = await fetch(url, { method: "HEAD", headers: { range: "bytes=0-0" } });
  expect([answer.status, answer.headers.get("content-length"), (await bytesOf(answer)).length]).toEqual([200, "10500", 0]);
  expect(reads()).toBe(before);
});

test.each([
  [300_000, 340_000, 1], // in the middle of a chunk
  [1_000_000, 1_100_000, 2], // the end of one and the beginning of the next
  [900_000, 2_500_000, 1], // a little, a whole chunk, and more of the last than is worth it
])("bytes %i to %i of chunks of somewhat more than a million: %i of them are asked for in part", async (from, to, parts) => {
  const bytes = randomBytes(3_000_000);
  const { url } = await drive.store({ bytes, chunkBytes: 1_050_000 });
  const asked = () => drive.nodes.all.reduce((sum, node) => sum + node.parts, 0);
  const before = asked();
  expect((await bytesOf(await ranged(url, `bytes=${from}-${to - 1}`))).equals(bytes.subarray(from, to))).toBe(true);
  expect(asked() - before).toBe(parts);
});

test.each([
  ["little", 500],
  ["more than a part is worth", 40_000],
  ["so much that the file is a small part of it", 300_000],
])("a file lies in a pack, amidst %s of other files: its own bytes arrive, whole and by range, and no others", async (_amount, others) => {
  const { url } = await drive.store({ bytes: BYTES, chunkBytes: BYTES.length, amidst: randomBytes(others) });
  expect((await bytesOf(await fetch(url))).equals(BYTES)).toBe(true);
  for (const [from, to] of [
    [0, 1],
    [1_000, 9_000],
    [10_499, 10_500],
  ] as const) {
    expect((await bytesOf(await ranged(url, `bytes=${from}-${to - 1}`))).equals(BYTES.subarray(from, to))).toBe(true);
  }
  const past = await ranged(url, "bytes=10000-20000");
  expect([past.headers.get("content-range"), (await bytesOf(past)).length]).toEqual(["bytes 10000-10499/10500", 500]);
});

test.each([
  ["in one chunk", 10_500, 1],
  ["in a chunk and a little more", 10_499, 2],
])("a file %s: the database is asked for it in so many questions", async (_where, chunkBytes, questions) => {
  const { url } = await drive.store({ bytes: BYTES, chunkBytes, amidst: randomBytes(10) });
  const query = vi.spyOn(drive.database.pool, "query");
  expect((await bytesOf(await fetch(url))).equals(BYTES)).toBe(true);
  expect((await bytesOf(await ranged(url, "bytes=500-599"))).equals(BYTES.subarray(500, 600))).toBe(true);
  expect(query).toHaveBeenCalledTimes(2 * questions);
  query.mockRestore();
});

test("an empty file is an empty file", async () => {
  const { url } = await drive.store({ bytes: Buffer.alloc(0) });
  const answer = await fetch(url);
  expect([answer.status, answer.headers.get("content-length"), (await bytesOf(answer)).length]).toEqual([200, "0", 0]);
  expect((await ranged(url, "bytes=0-")).status).toBe(416);
});

test.each([
  ["bytes=0-0", 0, 1],
  ["bytes=999-1000", 999, 1_001], // across the border of two chunks
  ["bytes=1000-1999", 1_000, 2_000], // exactly one chunk
  ["bytes=10499-", 10_499, 10_500],
  ["bytes=-700", 9_800, 10_500],
  ["bytes=3-9000", 3, 9_001],
])("%s", async (range, from, to) => {
  const { url } = await drive.store({ bytes: BYTES });
  const answer = await ranged(url, range);
  expect(answer.status).toBe(206);
  expect(answer.headers.get("content-range")).toBe(`bytes ${from}-${to - 1}/10500`);
  expect(answer.headers.get("content-length")).toBe(String(to - from));
  expect(await bytesOf(answer)).toEqual(BYTES.subarray(from, to));
});

test("many readers of two files at one moment: each gets the bytes of its own range", async () => {
  const files = [BYTES, BYTES.toReversed()].map((bytes) => ({ bytes: Buffer.from(bytes), chunkBytes: 100 }));
  const stored = await Promise.all(files.map((file) => drive.store(file)));
  const wishes = Array.from({ length: 40 }, (_, index) => ({ file: index % 2, from: index * 250, to: index * 250 + 300 }));
  const answers = await Promise.all(wishes.map(({ file, from, to }) => ranged(stored[file]!.url, `bytes=${from}-${to - 1}`).then(bytesOf)));
  expect(answers).toEqual(wishes.map(({ file, from, to }) => files[file]!.bytes.subarray(from, to)));
});

test("several ranges are one body with the very length that was promised", async () => {
  const { url } = await drive.store({ bytes: BYTES, mediaType: "image/png" });
  const answer = await ranged(url, "bytes=0-9, 2500-4499, -3");
  const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(answer.headers.get("content-type")!)![1]!;
  const part = (contentRange: string, bytes: Buffer) => [
    Buffer.from(`\r\n--${boundary}\r\nContent-Type: image/png\r\nContent-Range: bytes ${contentRange}/10500\r\n\r\n`),
    bytes,
  ];
  const expected = Buffer.concat([
    ...part("0-9", BYTES.subarray(0, 10)),
    ...part("2500-4499", BYTES.subarray(2_500, 4_500)),
    ...part("10497-10499", BYTES.subarray(10_497)),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  expect(answer.status).toBe(206);
  expect(answer.headers.get("content-length")).toBe(String(expected.length));
  expect(await bytesOf(answer)).toEqual(expected);
});

test("a range outside is refused with the file's length", async () => {
  const { url } = await drive.store({ bytes: BYTES });
  const answer = await ranged(url, "bytes=10500-");
  expect([answer.status, answer.headers.get("content-range")]).toEqual([416, "bytes */10500"]);
  expect(await answer.json()).toMatchObject({ error: "range.not_satisfiable" });
});

test("conditional requests: nothing is sent again, and nothing is sent for a file that changed", async () => {
  const { url, content } = await drive.store({ bytes: BYTES });
  const etag = `"${content.versionId}"`;
  const unchanged = await fetch(url, { headers: { "if-none-match": etag } });
  expect([unchanged.status, unchanged.headers.get("etag"), (await bytesOf(unchanged)).length]).toEqual([304, etag, 0]);
  const changed = await fetch(url, { headers: { "if-match": '"another"' } });
  expect([changed.status, await changed.json()]).toMatchObject([412, { error: "content.changed" }]);
  expect((await ranged(url, "bytes=0-9", { "if-range": etag })).status).toBe(206);
  expect((await ranged(url, "bytes=0-9", { "if-range": '"another"' })).status).toBe(200);
});

test("another user's file, an unknown one, a version of another file and nonsense are all not there", async () => {
  const [mine, other] = [await drive.store({ bytes: BYTES }), await drive.store({ bytes: randomBytes(10) })];
  for (const url of [
    `${mine.url}?as=stranger`,
    `${drive.url}/00000000-0000-4000-8000-000000000000`,
    `${drive.url}/nonsense`,
    `${mine.url}?version=${other.content.versionId}`,
    `${mine.url}?version=nonsense`,
  ]) {
    const answer = await fetch(url);
    expect([answer.status, await answer.json()], url).toMatchObject([404, { error: "entry.not_found" }]);
  }
});
