/** The kernel's own books: processor time and memory of processes. */
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { familyOf } from "@holdfast/cluster/testing";

const TICKS_PER_SECOND = 100; // USER_HZ; the same on every Linux that Node runs on
const PEAK_RESET = "5";

/** User and system time of the processes, of their children, and of children that have ended. */
export function cpuSeconds(pids: readonly number[]): number {
  return pids
    .flatMap(familyOf)
    .map(processSeconds)
    .reduce((a, b) => a + b, 0);
}

/** What all processes of the machine have used since it started, and what its host has given to others. */
export function machineCpuSeconds(): number {
  const [, user, nice, system, , , irq, softirq, steal] = readFileSync("/proc/stat", "utf8").split(/\s+/, 9).map(Number);
  return (user! + nice! + system! + irq! + softirq! + steal!) / TICKS_PER_SECOND;
}

/** Resident memory now, in bytes. */
export function residentBytes(pid: number): number {
  return memoryBytes(pid, "VmRSS");
}

/** The most that it was since the last reset. */
export function peakBytes(pid: number): number {
  return memoryBytes(pid, "VmHWM");
}

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, PEAK_RESET);
}

/** How many processes wanted to run, on average over the last minute. */
export function load(): number {
  return loadavg()[0]!;
}

/** Forgets what the kernel has read from disks. Only root may. */
export function dropPageCache(): void {
  writeFileSync("/proc/sys/vm/drop_caches", "1");
}

export function mayDropPageCache(): boolean {
  return process.getuid?.() === 0;
}

function memoryBytes(pid: number, name: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) * 1024;
}

function processSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).map(Number); // utime, stime, and both of children that were waited for
    return ticks.reduce((a, b) => a + b, 0) / TICKS_PER_SECOND;
  } catch {
    return 0; // ended meanwhile; its parent's books have it
  }
}
