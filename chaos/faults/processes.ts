/** Killing and freezing what runs. */
import { setTimeout as delay } from "node:timers/promises";
import { familyOf } from "@holdfast/cluster/testing";

export interface Victim {
  readonly pid: number | undefined;
}

const POLL_MS = 50;

/** Waits for it to live first: a dead process cannot die. */
export async function kill(victim: Victim): Promise<void> {
  signal(await livingPid(victim), "SIGKILL");
}

/** The process and its children stand still; the answer lets them go on. */
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
