/** Killing and freezing what runs. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

export interface Victim {
  readonly pid: number | undefined;
}

const POLL_MS = 50;

/** Waits for it to live first: a dead process cannot die. */
export async function kill(victim: Victim): Promise<void> {
  signal(await livingPid(victim), "SIGKILL");
}

/** The process and all below it stand still; the answer lets them go on. */
export async function freeze(victim: Victim): Promise<() => void> {
  const pids = familyOf(await livingPid(victim));
  for (const pid of pids) signal(pid, "SIGSTOP");
  return () => pids.forEach((pid) => signal(pid, "SIGCONT"));
}

async function livingPid(victim: Victim): Promise<number> {
  while (victim.pid === undefined) await delay(POLL_MS);
  return victim.pid;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; // it has gone by itself
  }
}

/** The parent first, so that it makes no more children while we look. */
function familyOf(pid: number): number[] {
  const parents = readdirSync("/proc")
    .map(Number)
    .filter((entry) => entry > 0)
    .map((child) => ({ child, parent: parentOf(child) }));
  return [pid, ...parents.filter(({ parent }) => parent === pid).map(({ child }) => child)];
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // ended while we looked
  }
}
