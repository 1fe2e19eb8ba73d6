import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createUploadQueue, type TransferEvents } from "./queue.ts";
import type { UploadJob } from "./upload.ts";

/** A server in the test's hands: each attempt stands here until the test lets it go on. */
function pretendServer() {
  const attempts: { id: string; url: string | undefined; events: TransferEvents; stopped: boolean }[] = [];
  return {
    attempts,
    latest: (id: string) => attempts.findLast((attempt) => attempt.id === id)!,
    startTransfer: ({ id, url }: UploadJob, _file: File, events: TransferEvents) => {
      const attempt = { id, url, events, stopped: false };
      attempts.push(attempt);
      return { stop: () => void (attempt.stopped = true) };
    },
  };
}

const MB = 1_000_000;
const job = (id: string, sizeBytes = 10 * MB): UploadJob => ({
  id,
  name: `${id}.bin`,
  folders: "",
  parentId: "root",
  sizeBytes,
  lastModifiedMs: 0,
  mediaType: "",
  conflict: "keep-both",
});
const file = new File(["x"], "x");
const PLACED = { entryId: undefined, inRoot: false };
const ids = (count: number) => Array.from({ length: count }, (_, index) => `f${index}`);

function setUp(count: number) {
  const server = pretendServer();
  const placed: string[] = [];
  const forgotten: string[] = [];
  const discarded: string[] = [];
  const queue = createUploadQueue({
    startTransfer: server.startTransfer,
    discard: (url) => discarded.push(url),
    onPlaced: ({ id }) => placed.push(id),
    onUrl: () => undefined,
    onForgotten: (gone) => forgotten.push(...gone),
    nowMs: () => Date.now(),
  });
  queue.add(ids(count).map((id) => ({ job: job(id), file })));
  const phaseOf = (id: string) => {
    vi.advanceTimersByTime(150);
    return queue.view().uploads.find((upload) => upload.id === id)?.phase;
  };
  return { server, queue, placed, forgotten, discarded, phaseOf };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the line", () => {
  test("200 files at once: four go on, and each that ends lets the next one start, in order", () => {
    const { server, placed } = setUp(200);
    expect(server.attempts).toHaveLength(4);
    for (let next = 0; next < 200; next++) server.attempts[next]!.events.onDone(PLACED);
    expect(placed).toEqual(ids(200));
  });

  test("10,000 progress events redraw a few times, not 10,000 times", () => {
    const { server, queue } = setUp(1);
    const listener = vi.fn<() => void>();
    queue.subscribe(listener);
    for (let sent = 0; sent < 10_000; sent++) server.latest("f0").events.onProgress(sent);
    vi.advanceTimersByTime(1_000);
    expect(listener).toHaveBeenCalledTimes(1);
  });

  test("a paused upload stops its request, gives its place away, and resumes at its URL", () => {
    const { server, queue, phaseOf } = setUp(5);
    server.latest("f0").events.onUrl("/api/upload/7");
    queue.pause(["f0"]);
    expect(server.latest("f0").stopped).toBe(true);
    expect(server.attempts.map(({ id }) => id)).toEqual(ids(5));
    server.latest("f1").events.onDone(PLACED);
    queue.resume(["f0"]);
    expect(server.latest("f0").url).toBe("/api/upload/7");
    expect(phaseOf("f0")).toEqual({ name: "sending" });
  });
});

describe("faults", () => {
  test("the server goes away: uploads wait and say why, nothing else is started, and all go on by themselves", () => {
    const { server, phaseOf } = setUp(6);
    for (const id of ids(4)) server.latest(id).events.onFailure({ next: "retry", why: "Two nodes are away." });
    expect(server.attempts).toHaveLength(4);
    expect(phaseOf("f0")).toEqual({ name: "waiting", why: "Two nodes are away." });
    vi.advanceTimersByTime(1_000);
    expect(server.attempts).toHaveLength(8);
    expect(phaseOf("f0")).toEqual({ name: "sending" });
  });

  test("the connection hangs without an error: the speed falls to nothing instead of standing", () => {
    const { server, queue } = setUp(1);
    const { onProgress } = server.latest("f0").events;
    onProgress(0);
    for (const second of [1, 2, 3]) {
      vi.advanceTimersByTime(1_000);
      onProgress(second * MB);
    }
    vi.advanceTimersByTime(500);
    expect(queue.view().uploads[0]!.bytesPerSecond).toBeGreaterThan(MB / 3);
    vi.advanceTimersByTime(60_000);
    expect(queue.view().uploads[0]!.bytesPerSecond).toBeLessThan(100);
  });

  test("a server that asks for five seconds gets them", () => {
    const { server } = setUp(1);
    server.latest("f0").events.onFailure({ next: "retry", why: "", afterMs: 5_000 });
    vi.advanceTimersByTime(4_900);
    expect(server.attempts).toHaveLength(1);
    vi.advanceTimersByTime(200);
    expect(server.attempts).toHaveLength(2);
  });

  test("the session expires in mid-upload: everything stands until sign-in, then goes on where it was", () => {
    const { server, queue, phaseOf } = setUp(6);
    server.latest("f0").events.onUrl("/api/upload/7");
    for (const id of ids(4)) server.latest(id).events.onFailure({ next: "sign-in" });
    expect(server.attempts).toHaveLength(4);
    expect(phaseOf("f0")).toEqual({ name: "signed-out" });
    queue.signedIn();
    expect(server.attempts.slice(4).map(({ id }) => id)).toEqual(ids(4));
    expect(server.latest("f0").url).toBe("/api/upload/7");
  });

  test("the server has forgotten the upload: it begins anew instead of asking for it forever", () => {
    const { server } = setUp(1);
    server.latest("f0").events.onUrl("/api/upload/7");
    server.latest("f0").events.onFailure({ next: "restart" });
    expect(server.attempts).toHaveLength(2);
    expect(server.latest("f0").url).toBeUndefined();
  });

  test("one file is refused: it says why, and the rest goes on", () => {
    const { server, phaseOf, queue } = setUp(5);
    server.latest("f0").events.onFailure({ next: "give-up", why: "Your drive is full." });
    expect(phaseOf("f0")).toEqual({ name: "failed", why: "Your drive is full." });
    expect(server.latest("f4")).toBeDefined();
    queue.resume(["f0"]);
    for (const id of ["f1", "f2", "f3", "f4"]) server.latest(id).events.onDone(PLACED);
    expect(phaseOf("f0")).toEqual({ name: "sending" });
  });
});

describe("the end", () => {
  test("cancel stops the request before it tells the server to forget the bytes", () => {
    const { server, queue, discarded, forgotten } = setUp(1);
    server.latest("f0").events.onUrl("/api/upload/7");
    queue.cancel(["f0"]);
    expect(server.latest("f0").stopped).toBe(true);
    expect(discarded).toEqual(["/api/upload/7"]);
    expect(forgotten).toEqual(["f0"]);
    expect(queue.view().uploads).toEqual([]);
  });

  test("after a reload an upload waits for its bytes, and goes on at its URL once they are found", () => {
    const { server, queue, phaseOf } = setUp(0);
    queue.addInterrupted([{ job: { ...job("old"), url: "/api/upload/7" }, sentBytes: 4 * MB, reopenable: false }]);
    queue.resume(["old"]);
    expect(phaseOf("old")).toEqual({ name: "interrupted", reopenable: false });
    queue.supply("old", file);
    expect(server.latest("old").url).toBe("/api/upload/7");
  });

  test("signing out stops every request and asks the server to forget nothing", () => {
    const { server, queue, discarded } = setUp(4);
    queue.stop();
    expect(server.attempts.every(({ stopped }) => stopped)).toBe(true);
    expect(discarded).toEqual([]);
  });
});
