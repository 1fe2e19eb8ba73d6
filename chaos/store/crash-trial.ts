/** One process, struck at one system call. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { StoreKindName } from "@holdfast/core/chunk-store/testing/stores";
import { SECOND_MS } from "@holdfast/core/kernel";
import type { Ready, Told } from "./crash-child.ts";
import type { CrashScriptName } from "./crash-scripts.ts";

export interface Subject {
  kind: StoreKindName;
  directory: string;
  script: CrashScriptName;
}

export type Thread = "main" | "pool";
export type Fault = "KILL" | "EIO" | "ENOSPC";

/** A system call that changes something in the store's directory. */
export interface Call {
  thread: Thread;
  name: string;
  /** The how manieth of its name in its thread, from 1. */
  count: number;
}

export interface Course {
  /** What the actions came to, by their places. Those that nothing was heard of are missing. */
  outcomes: Map<number, Told["outcome"]>;
  /** `died` of itself is a fault of ours. */
  end: "closed" | "killed" | "died" | "hung";
  stderr: string;
}

const CHILD = join(import.meta.dirname, "crash-child.ts");
/** All by which a file system can be changed. Whoever dies between two of them leaves what whoever dies at the second does. */
const CHANGES =
  "openat,write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,sync_file_range,fallocate,ftruncate,copy_file_range," +
  "rename,renameat,renameat2,link,unlink,unlinkat,mkdir,rmdir";
const HUNG_AFTER_MS = 60 * SECOND_MS;

/** Lets the script run its course, and lists the calls that it makes. */
export async function listCalls(subject: Subject): Promise<Call[]> {
  const scratch = mkdtempSync(join(tmpdir(), "holdfast-calls-"));
  try {
    const log = join(scratch, "log");
    const { child, course, ready } = await startChild(subject);
    const tracer = await attach(["-f", "-y", "-p", String(child.pid), "-o", log, "-e", `trace=${CHANGES}`]);
    const { end, stderr } = await letGo(child, course);
    await ended(tracer);
    if (end !== "closed") throw new Error(`the script cannot even be played unharmed: ${end} ${stderr}`);
    return callsIn(
      readFileSync(log, "utf8"),
      subject.directory,
      new Map([
        [child.pid!, "main"],
        [ready.pool, "pool"],
      ]),
    );
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The same with a fault at one call. A call that fails does so once. */
export async function strikeAt(subject: Subject, { thread, name, count }: Call, fault: Fault): Promise<Course> {
  const { child, course, ready } = await startChild(subject);
  const how = fault === "KILL" ? "signal=KILL" : `error=${fault}`;
  const tracer = await attach([
    "-p",
    String(thread === "main" ? child.pid : ready.pool),
    "-o",
    "/dev/null",
    "-e",
    `inject=${name}:${how}:when=${count}`,
  ]);
  const outcome = await letGo(child, course);
  await ended(tracer);
  return outcome;
}

interface Begun {
  child: ChildProcess;
  course: Promise<Course>;
  ready: Ready;
}

async function startChild({ kind, directory, script }: Subject): Promise<Begun> {
  const child = spawn(process.execPath, [CHILD, kind, directory, script], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, UV_THREADPOOL_SIZE: "1" }, // one thread for all files, so that its calls come in the same order each time
  });
  const { promise: ready, resolve, reject } = Promise.withResolvers<Ready>();
  const course = follow(child, resolve);
  void course.then(({ stderr }) => reject(new Error(`the child did not get ready: ${stderr}`)));
  return { child, course, ready: await ready };
}

async function follow(child: ChildProcess, onReady: (ready: Ready) => void): Promise<Course> {
  const outcomes = new Map<number, Told["outcome"]>();
  let hasClosed = false;
  createInterface(child.stdout!).on("line", (line) => {
    const told = JSON.parse(line) as Ready | Told | "closed";
    if (told === "closed") hasClosed = true;
    else if ("pool" in told) onReady(told);
    else outcomes.set(told.action, told.outcome);
  });
  let stderr = "";
  child.stderr!.on("data", (text) => (stderr += text));
  let hasHung = false;
  const patience = setTimeout(() => (hasHung = child.kill("SIGKILL")), HUNG_AFTER_MS);
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  clearTimeout(patience);
  const end = hasHung ? "hung" : signal === "SIGKILL" ? "killed" : code === 0 && hasClosed ? "closed" : "died";
  return { outcomes, end, stderr };
}

function letGo(child: ChildProcess, course: Promise<Course>): Promise<Course> {
  child.stdin!.end("\n");
  return course;
}

async function attach(args: string[]): Promise<ChildProcess> {
  const tracer = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
  for await (const line of createInterface(tracer.stderr)) if (line.includes("attached")) return tracer;
  throw new Error("strace could not attach itself");
}

async function ended(process: ChildProcess): Promise<void> {
  if (process.exitCode === null && process.signalCode === null) await once(process, "exit");
}

/** Counts all calls of a name, as the tracer does, and keeps those that concern the directory. */
function callsIn(log: string, directory: string, threads: ReadonlyMap<number, Thread>): Call[] {
  const counts = new Map<string, number>();
  const calls: Call[] = [];
  for (const [, id, name, args] of log.matchAll(/^(\d+) +(\w+)\((.*)$/gm)) {
    const thread = threads.get(Number(id));
    if (thread === undefined) continue;
    const count = (counts.get(`${thread} ${name}`) ?? 0) + 1;
    counts.set(`${thread} ${name}`, count);
    const changes = name !== "openat" || args!.includes("O_CREAT") || args!.includes("O_TRUNC");
    if (changes && args!.includes(directory)) calls.push({ thread, name: name!, count });
  }
  return calls;
}
