import { setImmediate as turn } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { ByteBudget, ChunkBuffers } from "../byte-budget/index.ts";
import { chunkIdOf } from "../chunking/index.ts";
import { HOUR_MS, KiB, limits, MiB, SECOND_MS } from "../kernel/index.ts";
import { partOf, type Piece } from "./extents.ts";
import { readAhead } from "./read-ahead.ts";

const LENGTH = 10;

afterEach(() => void vi.useRealTimers());

const noLoans = new ByteBudget(0);

/** Chunks of ten bytes, each holding its own number; `fetch` answers only when told to, unless `eager`. */
function setting({ count = 20, window = 3, buffers = new ChunkBuffers(1_000), loans = noLoans, eager = true } = {}) {
  const asked: number[] = [];
  const cancelled: number[] = [];
  const answers: (() => void)[] = [];
  async function* pieces(): AsyncGenerator<Piece> {
    for (let i = 0; i < count; i++) {
      const bytes = Buffer.alloc(LENGTH, i);
      yield { chunk: { id: chunkIdOf(bytes), length: LENGTH, replicas: [i] }, from: 0, to: LENGTH };
    }
  }
  const fetch = ({ chunk }: Piece, into: Buffer, signal: AbortSignal): Promise<Buffer> => {
    const index = chunk.replicas[0]!;
    asked.push(index);
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    answers.push(() => resolve(into.fill(index)));
    signal.addEventListener("abort", () => (cancelled.push(index), reject(signal.reason as Error)));
    if (eager) answers.at(-1)!();
    return promise;
  };
  const leaving = new AbortController();
  const stream = readAhead(pieces(), fetch, { window, buffers, loans, signal: leaving.signal });
  return { stream, asked, cancelled, answers, buffers, leaving };
}

test("a reader who takes nothing more makes nobody fetch more than the window", async () => {
  const { stream, asked, buffers } = setting({ window: 3 });
  await stream.next();
  await turn();
  expect(asked).toEqual([0, 1, 2]);
  expect(buffers.usedBytes).toBe(2 * LENGTH); // those ahead: of the first, every byte is handed out
  await stream.next();
  await turn();
  expect(asked).toEqual([0, 1, 2, 3]);
  expect(buffers.usedBytes).toBe(2 * LENGTH);
});

test("chunks that arrive out of order leave in order", async () => {
  const { stream, answers } = setting({ count: 3, eager: false });
  const all = Array.fromAsync(stream, (bytes) => bytes[0]);
  for (const index of [2, 1, 0]) {
    await expect.poll(() => answers.length).toBe(3);
    answers[index]!();
  }
  expect(await all).toEqual([0, 1, 2]);
});

test("many readers of a small buffers all finish, one piece at a time", async () => {
  const buffers = new ChunkBuffers(2 * LENGTH);
  const streams = Array.from({ length: 10 }, () => setting({ buffers, window: 3 }).stream);
  const counts = await Promise.all(streams.map(async (stream) => (await Array.fromAsync(stream)).length));
  expect(counts).toEqual(Array(10).fill(20));
  expect(buffers.usedBytes).toBe(0);
});

test("a reader who stands still keeps its pieces while nobody else wants the memory", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const { stream, asked } = setting({ count: 5 });
  await stream.next();
  vi.advanceTimersByTime(1 * HOUR_MS);
  await Array.fromAsync(stream);
  expect(asked).toEqual([0, 1, 2, 3, 4]);
  expect(vi.getTimerCount()).toBe(0);
});

test("a reader who stands still while others wait gives way from the far end, only as far as it must, and misses nothing", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const { stream, asked, buffers } = setting({ count: 5, window: 4, buffers: new ChunkBuffers(3 * LENGTH) });
  const first = await stream.next();
  const patient = new AbortController().signal;
  const spare = await buffers.acquire(LENGTH, patient);
  const other = buffers.acquire(LENGTH, patient);
  expect(buffers.contended).toBe(true);
  vi.advanceTimersByTime(1 * SECOND_MS);
  (await other).release();
  spare.release();
  expect(buffers.usedBytes).toBe(LENGTH);
  expect([first.value![0], ...(await Array.fromAsync(stream, (bytes) => bytes[0]))]).toEqual([0, 1, 2, 3, 4]);
  expect(asked).toEqual([0, 1, 2, 2, 3, 4]);
  expect(vi.getTimerCount()).toBe(0);
});

/** One chunk of so many bytes, each saying where it is; `asked` is what was fetched of it. */
function longChunk(length: number) {
  const bytes = Buffer.from(Array.from({ length }, (_, at) => at % 251));
  const asked: [from: number, to: number][] = [];
  const fetch = async (piece: Piece, into: Buffer): Promise<Buffer> => {
    const { from, to } = partOf(piece) ?? { from: 0, to: length };
    asked.push([from, to]);
    return into.subarray(0, bytes.copy(into, 0, from, to));
  };
  const pieces = async function* (from: number, to: number): AsyncGenerator<Piece> {
    yield { chunk: { id: chunkIdOf(bytes), length, replicas: [1] }, from, to };
  };
  return { bytes, asked, fetch, pieces };
}

test("a piece that is little of its chunk takes memory for itself alone", async () => {
  const { bytes, asked, fetch, pieces } = longChunk(1 * MiB);
  const buffers = new ChunkBuffers(1 * MiB);
  const options = { window: 3, buffers, loans: new ByteBudget(1 * MiB), signal: new AbortController().signal };
  const stream = readAhead(pieces(500_000, 600_000), fetch, options);
  const { value } = await stream.next();
  expect(value!.equals(bytes.subarray(500_000, 600_000))).toBe(true);
  expect(buffers.usedBytes).toBe(100_000);
  expect((await stream.next()).done).toBe(true);
  expect(asked).toEqual([[500_000, 600_000]]);
});

test("a reader who stood still and gave its chunk back has only the rest fetched again, if that is little, and misses nothing", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const length = 160 * KiB;
  const { bytes, asked, fetch, pieces } = longChunk(length);
  const buffers = new ChunkBuffers(length);
  const stream = readAhead(pieces(0, length), fetch, { window: 1, buffers, loans: noLoans, signal: new AbortController().signal });
  const taken = Buffer.from((await stream.next()).value);
  const other = buffers.acquire(length);
  vi.advanceTimersByTime(1 * SECOND_MS);
  (await other).release();
  const rest = await Array.fromAsync(stream, (slice) => Buffer.from(slice));
  expect(Buffer.concat([taken, ...rest]).equals(bytes)).toBe(true);
  expect(asked).toEqual([
    [0, length],
    [taken.length, length],
  ]);
});

test("slices are lent while there are loans, and copied when there are none", async () => {
  const loans = new ByteBudget(LENGTH);
  const lent = setting({ loans }).stream;
  const { value: first } = await lent.next();
  const { value: copied } = await setting({ loans }).stream.next();
  expect(copied!.buffer.byteLength).toBeGreaterThan(first!.buffer.byteLength);
  expect(loans.usedBytes).toBe(LENGTH);
  await lent.next();
  expect(loans.usedBytes).toBe(LENGTH); // of the next slice
  await lent.return(undefined);
  expect(loans.usedBytes).toBe(0);
});

test("a reader who stands still with a loan keeps the chunk that is in its socket, gives up those ahead, and misses nothing", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const { stream, asked, buffers } = setting({ count: 4, buffers: new ChunkBuffers(3 * LENGTH), loans: new ByteBudget(LENGTH) });
  const { value: lent } = await stream.next();
  const other = buffers.acquire(2 * LENGTH);
  vi.advanceTimersByTime(1 * SECOND_MS);
  (await other).release();
  expect(buffers.usedBytes).toBe(LENGTH);
  expect(lent).toEqual(Buffer.alloc(LENGTH, 0));
  expect(await Array.fromAsync(stream, (bytes) => bytes[0])).toEqual([1, 2, 3]);
  expect(asked).toEqual([0, 1, 2, 1, 2, 3]);
  expect(buffers.usedBytes).toBe(0);
});

test.each([
  ["lent", 1_000],
  ["copied", 0],
])("a chunk lacks bytes that its extent counts on, %s: an error after those there are, never an endless wait", async (_, loanBytes) => {
  const pieces = (async function* () {
    yield { chunk: { id: chunkIdOf(Buffer.of(0)), length: LENGTH, replicas: [1] }, from: 0, to: LENGTH };
  })();
  const truncated = async (): Promise<Buffer> => Buffer.alloc(LENGTH - 1);
  const options = { window: 3, buffers: new ChunkBuffers(1_000), loans: new ByteBudget(loanBytes), signal: new AbortController().signal };
  const stream = readAhead(pieces, truncated, options);
  expect((await stream.next()).value).toHaveLength(LENGTH - 1);
  await expect(stream.next()).rejects.toThrow("has no byte 9");
});

test("a reader who leaves cancels what is under way and gives its bytes back", async () => {
  const { stream, asked, cancelled, buffers, answers } = setting({ eager: false });
  const first = stream.next();
  await expect.poll(() => asked).toEqual([0, 1, 2]);
  answers[0]!();
  await first;
  await stream.return(undefined);
  expect(cancelled).toEqual([1, 2]);
  expect(buffers.usedBytes).toBe(0);
});

test("memory that a cancelled request may still write to is not lent again", async () => {
  const length = 1 * MiB;
  const buffers = new ChunkBuffers(limits.chunkBytesMax);
  const written: Buffer[] = [];
  const pieces = (async function* () {
    yield { chunk: { id: chunkIdOf(Buffer.of(0)), length, replicas: [1] }, from: 0, to: length };
  })();
  const fetch = (_: Piece, into: Buffer, signal: AbortSignal): Promise<Buffer> => {
    written.push(into);
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  };
  const leaving = new AbortController();
  const first = readAhead(pieces, fetch, { window: 1, buffers, loans: noLoans, signal: leaving.signal }).next();
  await expect.poll(() => written.length).toBe(1);
  leaving.abort(new Error("gone"));
  await expect(first).rejects.toThrow("gone");
  expect((await buffers.acquire(length, new AbortController().signal)).bytes.buffer).not.toBe(written[0]!.buffer);
});

test("a reader who leaves while it waits for the buffers stops waiting", async () => {
  const buffers = new ChunkBuffers(LENGTH);
  const others = await buffers.acquire(LENGTH, new AbortController().signal);
  const { stream, leaving } = setting({ buffers });
  const first = stream.next();
  await turn();
  leaving.abort(new Error("gone"));
  await expect(first).rejects.toThrow("gone");
  others.release();
  expect(buffers.usedBytes).toBe(0);
});

test("a chunk ahead that fails is reported when its turn comes, after the bytes before it", async () => {
  const buffers = new ChunkBuffers(1_000);
  const pieces = (async function* () {
    for (let i = 0; i < 3; i++) yield { chunk: { id: chunkIdOf(Buffer.of(i)), length: LENGTH, replicas: [i] }, from: 0, to: LENGTH };
  })();
  const fetch = async ({ chunk }: Piece) => {
    if (chunk.replicas[0] === 1) throw new Error("lost");
    return Buffer.alloc(LENGTH);
  };
  const stream = readAhead(pieces, fetch, { window: 3, buffers, loans: noLoans, signal: new AbortController().signal });
  expect((await stream.next()).value).toHaveLength(LENGTH);
  await expect(stream.next()).rejects.toThrow("lost");
  expect(buffers.usedBytes).toBe(0);
});
