/** How everything here is measured: several rounds, the median counts, and CPU time is read from the kernel's own books. */
import { readFileSync } from "node:fs";

const TICKS_PER_SECOND = 100; // USER_HZ; the same on every Linux that Node runs on
export const MB = 1e6;

export interface Round {
  seconds: number;
  bytes: number;
  /** CPU seconds the server processes used meanwhile; absent for limits. */
  cpuSeconds?: number;
}

export interface Result {
  name: string;
  megabytesPerSecond: number;
  /** Slowest and fastest round. */
  range: [number, number];
  cpuSecondsPerGigabyte?: number;
}

export function summarise(name: string, rounds: Round[]): Result {
  const rates = rounds.map(({ bytes, seconds }) => bytes / seconds / MB).toSorted((a, b) => a - b);
  const costs = rounds.flatMap(({ cpuSeconds, bytes }) => (cpuSeconds === undefined ? [] : [cpuSeconds / (bytes / 1e9)]));
  return {
    name,
    megabytesPerSecond: median(rates),
    range: [rates[0]!, rates.at(-1)!],
    cpuSecondsPerGigabyte: costs.length > 0 ? median(costs) : undefined,
  };
}

export async function repeat(rounds: number, work: (round: number) => Promise<Round>): Promise<Round[]> {
  const results: Round[] = [];
  for (let round = 0; round < rounds; round += 1) results.push(await work(round));
  return results;
}

/** Runs `work` and returns how long it took, with the CPU time of the processes. `bytes` is what it moved. */
export async function timed(bytes: number, pids: number[], work: () => Promise<void>): Promise<Round> {
  const cpuBefore = cpuSeconds(pids);
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  return { seconds, bytes, cpuSeconds: pids.length > 0 ? cpuSeconds(pids) - cpuBefore : undefined };
}

/** Resident memory now, in bytes. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
}

/** User and system time of the processes and of their children that were waited for. */
function cpuSeconds(pids: number[]): number {
  return pids.map(processSeconds).reduce((a, b) => a + b, 0);
}

function processSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (
    fields
      .slice(11, 15)
      .map(Number)
      .reduce((a, b) => a + b, 0) / TICKS_PER_SECOND
  );
}

function median(sorted: number[]): number {
  const ordered = sorted.toSorted((a, b) => a - b);
  return ordered[Math.floor(ordered.length / 2)]!;
}
