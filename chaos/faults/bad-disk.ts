/** A disk that fails, dawdles or lies, as its process sees it: strace gives the answers to its system calls. */
import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { patiently, Skipped } from "./patience.ts";

const ATTACH_MS = 10_000;
/** Files alone are synced, and read in several pieces at once; connections are not. */
const SYNC = "fsync,fdatasync";
const READ = "readv,preadv";

export const BAD_DISKS = {
  "sync-error": { calls: SYNC, answer: "error=EIO" },
  "read-error": { calls: READ, answer: "error=EIO:when=1+4" },
  "slow-disk": { calls: SYNC, answer: "delay_enter=300000" }, // in microseconds
  /** Says that all is safe, and does nothing. */
  "lying-disk": { calls: SYNC, answer: "retval=0" },
} as const;

/** Throws where there is no strace, or where it may not. */
export function tryStrace(): void {
  const { status, stderr, error } = spawnSync("strace", ["-qq", "-e", "inject=fsync:error=EIO", "-o", "/dev/null", "true"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(error?.message ?? stderr);
}

/** The answer ends it. */
export async function giveBadDisk(
  pid: number,
  { calls, answer }: (typeof BAD_DISKS)[keyof typeof BAD_DISKS],
): Promise<() => Promise<void>> {
  const rules = ["-e", `trace=${calls}`, "-e", `inject=${calls}:${answer}`];
  const tracer = spawn("strace", ["-f", "-qq", ...rules, "-o", "/dev/null", "-p", String(pid)], { stdio: "ignore" });
  const gone = new Promise<void>((resolve) => tracer.once("exit", () => resolve()));
  const end = async (): Promise<void> => {
    tracer.kill("SIGTERM"); // it lets the process go on as it was
    await gone;
  };
  if (await patiently(async () => isTraced(pid, tracer.pid!), ATTACH_MS)) return end;
  await end();
  throw new Skipped(`strace could not attach to process ${pid}`);
}

/** Every thread: any of them may be the one that writes. */
function isTraced(pid: number, tracer: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8").includes(`TracerPid:\t${tracer}\n`),
  );
}
