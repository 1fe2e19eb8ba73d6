import { MB, type Result } from "./measure.ts";

export function printTable(limits: Result[], results: Result[], memory: { gateway: number; nodes: number[] }): void {
  console.log(`\n${row("", "MB/s", "slowest–fastest", "CPU s/GB")}`);
  for (const result of limits) console.log(resultRow(result));
  console.log("");
  for (const result of results) console.log(resultRow(result));
  const nodes = memory.nodes.map((bytes) => (bytes / MB).toFixed(0)).join(", ");
  console.log(`\nresident memory afterwards: gateway ${(memory.gateway / MB).toFixed(0)} MB, nodes ${nodes} MB`);
}

function resultRow({ name, megabytesPerSecond, range, cpuSecondsPerGigabyte }: Result): string {
  const cost = cpuSecondsPerGigabyte === undefined ? "" : cpuSecondsPerGigabyte.toFixed(2);
  return row(name, megabytesPerSecond.toFixed(0), `${range[0].toFixed(0)}–${range[1].toFixed(0)}`, cost);
}

function row(name: string, rate: string, range: string, cost: string): string {
  return `${name.padEnd(42)}${rate.padStart(8)}${range.padStart(18)}${cost.padStart(10)}`;
}
