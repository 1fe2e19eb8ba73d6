"use client";
import type { HistoryPoint } from "@holdfast/core/capacity-history";
import { formatBytes, formatExactTime } from "@holdfast/ui";
import { Area, CartesianGrid, ComposedChart, Line, ResponsiveContainer, Tooltip, type TooltipContentProps, XAxis, YAxis } from "recharts";
import { type HistorySpan, spans } from "./spans.ts";

const series = [
  { key: "used", name: "In chunks", color: "var(--color-kelp)", dash: undefined },
  { key: "free", name: "Free", color: "var(--color-tide)", dash: "5 4" },
  { key: "capacity", name: "Disks", color: "var(--color-ink-faint)", dash: "1 4" },
] as const;

/** Areas from zero, stacked, under the line of the disks' size. Where nobody reported there is a gap. */
export function CapacityChart({ points, span }: { points: HistoryPoint[]; span: HistorySpan }) {
  const data = points.map((point) => ({
    atMs: point.at.getTime(),
    used: point.usedBytes,
    free: point.freeBytes,
    capacity: point.capacityBytes,
  }));
  const reported = data.filter((point) => point.capacity !== null);
  const last = reported.at(-1);
  const dots = reported.length < 4 && { r: 3, strokeDasharray: "none", fill: "var(--color-surface)" };
  const { tick, tickMs } = spans[span];
  const tickWords = new Intl.DateTimeFormat("en-GB", tick);
  const ticks = data.map((point) => point.atMs).filter((atMs) => atMs % tickMs === 0);
  const axis = { stroke: "var(--color-line-strong)", tick: { fill: "var(--color-ink-muted)", fontSize: 12 }, tickLine: false } as const;
  return (
    <figure>
      <Legend />
      <div className="h-80">
        <ResponsiveContainer>
          <ComposedChart data={data} margin={{ top: 8, right: 8, bottom: 0, left: 0 }} title="Capacity over time">
            <CartesianGrid stroke="var(--color-line)" vertical={false} />
            <XAxis
              {...axis}
              dataKey="atMs"
              type="number"
              domain={["dataMin", "dataMax"]}
              ticks={ticks}
              minTickGap={24}
              tickFormatter={(atMs: number) => tickWords.format(atMs)}
            />
            <YAxis {...axis} axisLine={false} width={64} domain={[0, "auto"]} tickFormatter={formatBytes} />
            <Tooltip content={PointDetails} isAnimationActive={false} cursor={{ stroke: "var(--color-line-strong)" }} />
            {series.slice(0, 2).map(({ key, name, color, dash }) => (
              <Area
                key={key}
                dataKey={key}
                name={name}
                stackId="disk"
                stroke={color}
                strokeWidth={2}
                strokeDasharray={dash}
                fill={color}
                fillOpacity={0.16}
                dot={dots}
                isAnimationActive={false}
              />
            ))}
            <Line
              dataKey="capacity"
              name="Disks"
              stroke={series[2].color}
              strokeWidth={2}
              strokeDasharray={series[2].dash}
              dot={dots}
              isAnimationActive={false}
            />
          </ComposedChart>
        </ResponsiveContainer>
      </div>
      {last && (
        <figcaption className="sr-only">
          At {formatExactTime(new Date(last.atMs))}: {formatBytes(last.used ?? 0)} in chunks, {formatBytes(last.free ?? 0)} free, disks of{" "}
          {formatBytes(last.capacity ?? 0)}.
        </figcaption>
      )}
    </figure>
  );
}

function Legend() {
  return (
    <ul aria-hidden className="flex gap-4 pb-2 text-sm text-ink-muted">
      {series.map(({ key, name, color, dash }) => (
        <li key={key} className="flex items-center gap-1.5">
          <svg viewBox="0 0 24 4" className="h-1 w-6">
            <path d="M0 2h24" stroke={color} strokeWidth={2} strokeDasharray={dash} />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}

function PointDetails({ active, payload, label }: TooltipContentProps) {
  if (!active || payload.length === 0) return null;
  return (
    <div className="figures rounded-md bg-raised px-3 py-2 text-sm shadow-md">
      <p className="pb-1 text-ink-muted">{formatExactTime(new Date(Number(label)))}</p>
      {payload.map(({ name, value }) => (
        <p key={name} className="flex justify-between gap-6">
          <span>{name}</span>
          <span>{formatBytes(Number(value))}</span>
        </p>
      ))}
    </div>
  );
}
