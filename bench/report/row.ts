import { availableParallelism } from "node:os";
import type { Percentiles } from "@holdfast/cluster/testing";
import type { Measured } from "../measure/meter.ts";

export const MB = 1e6;
const GB = 1e9;

/** A figure with all that stands beside it in the table. */
export interface Row {
  name: string;
  unit: string;
  /** One for each round. */
  values: readonly number[];
  latency?: Percentiles | undefined;
  cpu?: { server: number; client: number; unit: "s/GB" | "ms/op" };
  /** Which share of the machine's time others took meanwhile: near nothing on a quiet machine. */
  othersShare?: number;
  peakBytes?: { gateway: number; node: number } | undefined;
  /** What the machine can do at all, in the same unit. */
  limit?: Limit | undefined;
  targets?: readonly Target[];
}

export interface Limit {
  name: string;
  value: number;
}

/** What is claimed of a row. */
export interface Target {
  of: "value" | "p99" | "cpu";
  atLeast?: number;
  atMost?: number;
}

type Beside = Pick<Row, "limit" | "targets">;

export function throughputRow(name: string, measured: Measured, beside: Beside = {}): Row {
  const values = measured.rounds.map(({ amount, seconds }) => amount / seconds / MB);
  return { name, unit: "MB/s", values, ...circumstancesOf(measured, "s/GB", (seconds, bytes) => seconds / (bytes / GB)), ...beside };
}

export function operationsRow(name: string, measured: Measured, beside: Beside = {}): Row {
  const values = measured.rounds.map(({ amount, seconds }) => amount / seconds);
  return { name, unit: "/s", values, ...circumstancesOf(measured, "ms/op", (seconds, count) => (seconds * 1_000) / count), ...beside };
}

function circumstancesOf({ rounds, latency, peak }: Measured, unit: "s/GB" | "ms/op", cost: (seconds: number, amount: number) => number) {
  return {
    latency,
    cpu: {
      server: median(rounds.map(({ serverCpuSeconds, amount }) => cost(serverCpuSeconds, amount))),
      client: median(rounds.map(({ clientCpuSeconds, amount }) => cost(clientCpuSeconds, amount))),
      unit,
    },
    othersShare: median(rounds.map(({ othersCpuSeconds, seconds }) => othersCpuSeconds / seconds / availableParallelism())),
    peakBytes: peak,
  } satisfies Partial<Row>;
}

export function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  const [below, above] = [ordered[Math.ceil(ordered.length / 2) - 1], ordered[Math.floor(ordered.length / 2)]];
  return below === undefined || above === undefined ? Number.NaN : (below + above) / 2;
}
