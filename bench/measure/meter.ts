/** Several laps of the same work; the median counts. Beside the time: what the servers and the client spent on it. */
import { type Percentiles, percentilesOf } from "@holdfast/cluster/testing";
import type { ServerProcess } from "../load/door.ts";
import { cpuSeconds, peakBytes, resetPeak } from "./books.ts";

export interface Lap {
  seconds: number;
  /** Bytes or operations. */
  amount: number;
  serverCpuSeconds: number;
  clientCpuSeconds: number;
}

export interface Measured {
  laps: Lap[];
  /** Of what was handed to `took`, in all laps. */
  latency: Percentiles | undefined;
  /** The most that one process of each kind had in memory, in bytes. */
  peak: { gateway: number; node: number } | undefined;
}

export interface LapWork {
  laps: number;
  /** Returns how much was done. `took` notes how long one operation was under way. */
  work: (lap: number, took: (ms: number) => void) => Promise<number>;
  /** Not measured. */
  before?: ((lap: number) => Promise<void> | void) | undefined;
}

export async function measure(processes: () => ServerProcess[], { laps, work, before }: LapWork): Promise<Measured> {
  const times: number[] = [];
  const took = (ms: number): void => void times.push(ms);
  const measured: Lap[] = [];
  const own = processes().filter(({ role }) => role !== "other");
  for (const { pid } of own) resetPeak(pid);
  for (let lap = 0; lap < laps; lap += 1) {
    await before?.(lap);
    measured.push(await timed(processes, () => work(lap, took)));
  }
  const peakOf = (wanted: ServerProcess["role"]): number =>
    Math.max(0, ...own.flatMap(({ role, pid }) => (role === wanted ? peakBytes(pid) : [])));
  return {
    laps: measured,
    latency: times.length > 0 ? percentilesOf(times) : undefined,
    peak: own.length > 0 ? { gateway: peakOf("gateway"), node: peakOf("node") } : undefined,
  };
}

async function timed(processes: () => ServerProcess[], work: () => Promise<number>): Promise<Lap> {
  const pids = processes().map(({ pid }) => pid);
  const serverBefore = cpuSeconds(pids);
  const clientBefore = process.cpuUsage();
  const start = performance.now();
  const amount = await work();
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(clientBefore);
  return { seconds, amount, serverCpuSeconds: cpuSeconds(pids) - serverBefore, clientCpuSeconds: (user + system) / 1e6 };
}

/** As often as it can for so long, that many at a time. Returns how often it was done. */
export async function keepDoing(atOnce: number, seconds: number, work: (number: number) => Promise<unknown>): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  let started = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < end) await work(started++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return started;
}
