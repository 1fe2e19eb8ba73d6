import type { Percentiles } from "@holdfast/cluster/testing";
import type { Measured } from "../measure/meter.ts";

export const MB = 1e6;
const GB = 1e9;

/** A figure with all that stands beside it in the table. */
export interface Row {
  name: string;
  unit: string;
  /** One for each lap. */
  values: readonly number[];
  latency?: Percentiles | undefined;
  cpu?: { server: number; client: number; unit: "s/GB" | "ms/op" };
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

export function throughputRow(name: string, { laps, latency, peak }: Measured, beside: Beside = {}): Row {
  const perGB = (seconds: number, bytes: number): number => seconds / (bytes / GB);
  return {
    name,
    unit: "MB/s",
    values: laps.map(({ amount, seconds }) => amount / seconds / MB),
    latency,
    cpu: {
      server: median(laps.map(({ serverCpuSeconds, amount }) => perGB(serverCpuSeconds, amount))),
      client: median(laps.map(({ clientCpuSeconds, amount }) => perGB(clientCpuSeconds, amount))),
      unit: "s/GB",
    },
    peakBytes: peak,
    ...beside,
  };
}

export function operationsRow(name: string, { laps, latency, peak }: Measured, beside: Beside = {}): Row {
  return {
    name,
    unit: "/s",
    values: laps.map(({ amount, seconds }) => amount / seconds),
    latency,
    cpu: {
      server: median(laps.map(({ serverCpuSeconds, amount }) => (serverCpuSeconds * 1_000) / amount)),
      client: median(laps.map(({ clientCpuSeconds, amount }) => (clientCpuSeconds * 1_000) / amount)),
      unit: "ms/op",
    },
    peakBytes: peak,
    ...beside,
  };
}

export function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  return ordered[Math.floor(ordered.length / 2)] ?? Number.NaN;
}
