/** Several rounds of the same work; the median counts. Beside the time: what the servers and the client spent on it. */
import { type Percentiles, percentilesOf } from "@holdfast/cluster/testing";
import type { ServerProcess } from "../load/door.ts";
import { cpuSeconds, machineCpuSeconds, peakBytes, resetPeak } from "./books.ts";

export interface Round {
  seconds: number;
  /** Bytes or operations. */
  amount: number;
  serverCpuSeconds: number;
  clientCpuSeconds: number;
  /** Of whatever else ran on the machine, the kernel's own threads included. */
  othersCpuSeconds: number;
}

export interface Measured {
  rounds: Round[];
  /** Of what was handed to `took`, in all rounds. */
  latency: Percentiles | undefined;
  /** The most that one process of each kind had in memory, in bytes. */
  peak: { gateway: number; node: number } | undefined;
}

export interface Rounds {
  rounds: number;
  /** Returns how much was done. `took` notes how long one operation was under way. */
  work: (round: number, took: (ms: number) => void) => Promise<number>;
  /** Not measured. */
  before?: ((round: number) => Promise<void> | void) | undefined;
}

export async function measure(processes: () => ServerProcess[], { rounds, work, before }: Rounds): Promise<Measured> {
  const times: number[] = [];
  const took = (ms: number): void => void times.push(ms);
  const measured: Round[] = [];
  const own = processes().filter(({ role }) => role !== "other");
  for (const { pid } of own) resetPeak(pid);
  for (let round = 0; round < rounds; round += 1) {
    await before?.(round);
    measured.push(await timed(processes, () => work(round, took)));
  }
  const peakOf = (wanted: ServerProcess["role"]): number =>
    Math.max(0, ...own.flatMap(({ role, pid }) => (role === wanted ? peakBytes(pid) : [])));
  return {
    rounds: measured,
    latency: times.length > 0 ? percentilesOf(times) : undefined,
    peak: own.length > 0 ? { gateway: peakOf("gateway"), node: peakOf("node") } : undefined,
  };
}

async function timed(processes: () => ServerProcess[], work: () => Promise<number>): Promise<Round> {
  const pids = processes().map(({ pid }) => pid);
  const serverBefore = cpuSeconds(pids);
  const machineBefore = machineCpuSeconds();
  const clientBefore = process.cpuUsage();
  const start = performance.now();
  const amount = await work();
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(clientBefore);
  const clientCpuSeconds = (user + system) / 1e6;
  const machine = machineCpuSeconds() - machineBefore;
  const serverCpuSeconds = cpuSeconds(pids) - serverBefore;
  const othersCpuSeconds = Math.max(0, machine - serverCpuSeconds - clientCpuSeconds);
  return { seconds, amount, serverCpuSeconds, clientCpuSeconds, othersCpuSeconds };
}

/** How long a scenario of many small operations does them unmeasured: a server that runs for weeks has long compiled what it does all day. */
export const WARM_UP_SECONDS = 10;

/** As often as it can for so long, that many at a time. Returns how often it was done. */
export async function keepDoing(atOnce: number, seconds: number, work: (number: number) => Promise<unknown>): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  return await inLanes(atOnce, () => performance.now() < end, work);
}

/** So many times, that many at a time. */
export async function doTimes(atOnce: number, times: number, work: (number: number) => Promise<unknown>): Promise<void> {
  await inLanes(atOnce, (started) => started < times, work);
}

/** Returns how often it was done. */
async function inLanes(atOnce: number, goesOn: (started: number) => boolean, work: (number: number) => Promise<unknown>): Promise<number> {
  let started = 0;
  const lane = async (): Promise<void> => {
    while (goesOn(started)) await work(started++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return started;
}
