/**
 * The uploads of this page: a few at a time, the rest in line.
 *
 * An upload that waits for the server keeps its place in the few: when nothing gets through, starting more would only
 * fail more. One that waits for a person gives its place away. The order of adding is the order of sending.
 */
import { type Failure, retryDelayMs } from "./failures.ts";
import { observe, type Rate, startRate } from "./rate.ts";
import { isActive, type Phase, type PlacedFile, type Upload, type UploadJob } from "./upload.ts";
import { createUploadStore } from "./upload-store.ts";

const AT_ONCE = 4;
/** How often silence is counted as a speed of nothing. */
const PULSE_MS = 1_000;

export interface TransferEvents {
  onUrl: (url: string) => void;
  onProgress: (sentBytes: number) => void;
  onDone: (placed: PlacedFile) => void;
  onFailure: (failure: Failure) => void;
}

/** Sends a file from where the server has it. Called again after each failure; nothing is reported after `stop`. */
export type StartTransfer = (job: UploadJob, file: File, events: TransferEvents) => { stop: () => void };

export interface QueueOptions {
  startTransfer: StartTransfer;
  /** Tells the server to forget what it has of an upload. */
  discard: (url: string) => void;
  /** A file has arrived in the drive. */
  onPlaced: (upload: Upload) => void;
  /** The upload has a URL now, or needs to be remembered no longer. */
  onUrl: (job: UploadJob) => void;
  onForgotten: (ids: readonly string[]) => void;
  nowMs?: () => number;
}

/** An upload that a reload or another device left unfinished. */
export interface InterruptedUpload {
  job: UploadJob;
  sentBytes: number;
  /** The browser kept a handle of the file. */
  reopenable: boolean;
}

export type UploadQueue = ReturnType<typeof createUploadQueue>;

interface Running {
  stop: () => void;
  rate?: Rate;
}

export function createUploadQueue({ startTransfer, discard, onPlaced, onUrl, onForgotten, nowMs = () => performance.now() }: QueueOptions) {
  const files = new Map<string, File>();
  const running = new Map<string, Running>();
  const retries = new Map<string, { attempt: number; timer: ReturnType<typeof setTimeout> }>();
  let pulse: ReturnType<typeof setInterval> | undefined;
  const store = createUploadStore();

  function enter(id: string, phase: Phase): void {
    store.change(id, { phase, ...(phase.name === "sending" ? {} : { bytesPerSecond: 0 }) });
  }

  function halt(id: string): void {
    running.get(id)?.stop();
    running.delete(id);
    clearTimeout(retries.get(id)?.timer);
    if (running.size > 0) return;
    clearInterval(pulse);
    pulse = undefined;
  }

  /** Fills the free places from the line. */
  function pump(): void {
    let active = 0;
    for (const upload of store.all()) {
      if (upload.phase.name === "signed-out") return;
      if (isActive(upload)) active++;
    }
    for (const { id, phase } of store.all()) {
      if (active >= AT_ONCE) return;
      if (phase.name !== "queued") continue;
      active++;
      start(id);
    }
  }

  function start(id: string): void {
    const upload = store.get(id);
    const file = files.get(id);
    if (upload === undefined || file === undefined) return;
    const run: Running = { stop: () => undefined };
    running.set(id, run);
    pulse ??= setInterval(slowDown, PULSE_MS);
    enter(id, { name: "sending" });
    const transfer = startTransfer(upload, file, {
      onUrl: (url) => {
        store.change(id, { url });
        onUrl({ ...upload, url });
      },
      onProgress: (sentBytes) => progressed(id, run, sentBytes),
      onDone: (placed) => finished(id, placed),
      onFailure: (failure) => failed(id, failure),
    });
    run.stop = () => transfer.stop();
  }

  function progressed(id: string, run: Running, sentBytes: number): void {
    const upload = store.get(id);
    if (upload === undefined) return;
    if (sentBytes > upload.sentBytes) retries.delete(id);
    const now = nowMs();
    // The first figure of an attempt is where it resumes from, not what it sent.
    run.rate = run.rate === undefined ? startRate(sentBytes, now) : observe(run.rate, sentBytes, now);
    store.change(id, { sentBytes, bytesPerSecond: run.rate.bytesPerSecond });
  }

  /** A connection that hangs reports nothing at all: its speed would stand as it last was. */
  function slowDown(): void {
    for (const [id, run] of running) {
      const upload = store.get(id);
      if (upload && run.rate) progressed(id, run, upload.sentBytes);
    }
  }

  function finished(id: string, placed: PlacedFile): void {
    const upload = store.get(id);
    if (upload === undefined) return;
    halt(id);
    retries.delete(id);
    files.delete(id);
    store.change(id, { sentBytes: upload.sizeBytes });
    enter(id, { name: "done", placed });
    onForgotten([id]);
    onPlaced(upload);
    pump();
  }

  function failed(id: string, failure: Failure): void {
    halt(id);
    switch (failure.next) {
      case "retry":
        enter(id, { name: "waiting", why: failure.why });
        retryLater(id, failure.afterMs);
        return;
      case "restart":
        store.change(id, { url: undefined, sentBytes: 0 });
        enter(id, { name: "queued" });
        break;
      case "sign-in":
        enter(id, { name: "signed-out" });
        break;
      case "give-up":
        enter(id, { name: "failed", why: failure.why });
        break;
    }
    pump();
  }

  function retryLater(id: string, afterMs: number | undefined): void {
    const attempt = retries.get(id)?.attempt ?? 0;
    const timer = setTimeout(() => start(id), Math.max(afterMs ?? 0, retryDelayMs(attempt)));
    retries.set(id, { attempt: attempt + 1, timer });
  }

  function requeue(ids: readonly string[]): void {
    for (const id of ids) {
      halt(id);
      retries.delete(id);
      enter(id, files.has(id) ? { name: "queued" } : { name: "interrupted", reopenable: false });
    }
    pump();
    store.show();
  }

  function pause(ids: readonly string[]): void {
    for (const id of ids) {
      halt(id);
      enter(id, { name: "paused" });
    }
    pump();
    store.show();
  }

  function drop(ids: readonly string[]): void {
    for (const id of ids) {
      halt(id);
      retries.delete(id);
      store.remove(id);
      files.delete(id);
    }
  }

  function forget(ids: readonly string[]): void {
    drop(ids);
    onForgotten(ids);
    pump();
    store.show();
  }

  return {
    subscribe: store.subscribe,
    view: store.view,

    add: (added: readonly { job: UploadJob; file: File }[]): void => {
      for (const { job, file } of added) {
        store.put({ ...job, phase: { name: "queued" }, sentBytes: 0, bytesPerSecond: 0 });
        files.set(job.id, file);
      }
      pump();
      store.show();
    },

    /** Shows uploads that a reload cut short; they go on once `supply` brings their bytes. */
    addInterrupted: (interrupted: readonly InterruptedUpload[]): void => {
      for (const { job, sentBytes, reopenable } of interrupted) {
        store.put({ ...job, phase: { name: "interrupted", reopenable }, sentBytes, bytesPerSecond: 0 });
      }
      store.show();
    },
    /** The browser could not find the file by itself after all. */
    mustChoose: (id: string): void => enter(id, { name: "interrupted", reopenable: false }),
    supply: (id: string, file: File): void => {
      files.set(id, file);
      requeue([id]);
    },

    pause,
    pauseAll: () => pause(store.idsIn("sending", "waiting", "queued")),
    /** Also for what failed: a person asks for another attempt. */
    resume: requeue,
    resumeAll: () => requeue(store.idsIn("paused", "failed")),
    signedIn: () => requeue(store.idsIn("signed-out")),
    /** The network is back: whoever waits asks now. */
    wake: () => requeue(store.idsIn("waiting")),

    cancel: (ids: readonly string[]): void => {
      for (const id of ids) {
        halt(id); // first, or the server would still be receiving
        const url = store.get(id)?.url;
        if (url !== undefined) discard(url);
      }
      forget(ids);
    },
    clearFinished: () => forget(store.idsIn("done", "failed")),

    /** Ends everything here without a word to the server: what it has can be resumed later. */
    stop: (): void => {
      drop(Array.from(store.all(), ({ id }) => id));
      store.show();
    },
  };
}
