import type { LoadFigures } from "../load/foreground-load.ts";
import type { Row } from "../report/row.ts";

/** What users felt of a fault, against how it was for them before. */
export function burdenRows(before: LoadFigures, during: LoadFigures): Row[] {
  const row = (name: string, values: number[], beside: Partial<Row> = {}): Row => ({ name, unit: "×", values, ...beside });
  return [
    row("users before: operations that failed", [before.failed], { unit: "", latency: before.read }),
    row("users meanwhile: operations that failed", [during.failed], {
      unit: "",
      latency: during.read,
      targets: [{ of: "value", atMost: 0 }],
    }),
    row("users meanwhile: p99 of reads against before", [during.read.p99Ms / before.read.p99Ms], { targets: [{ of: "value", atMost: 2 }] }),
    row("users meanwhile: p99 of writes against before", [during.write.p99Ms / before.write.p99Ms], {
      targets: [{ of: "value", atMost: 2 }],
    }),
    row("users meanwhile: the longest wait", [during.slowestMs / 1_000], { unit: "s", targets: [{ of: "value", atMost: 3 }] }),
  ];
}
