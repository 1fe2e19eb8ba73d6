"use client";
import { Meter } from "@base-ui/react/meter";
import type { ReactNode } from "react";
import { cn } from "./class-names.ts";
import { formatBytes } from "./format.ts";

const NEARLY_FULL = 0.85;
const FULL = 0.95;

interface CapacityBarProps {
  label: string;
  usedBytes: number;
  /** Null when there is no limit to compare with: then only the figure is shown. */
  totalBytes: number | null;
  /** Replaces "1.2 GB of 4 GB used". */
  children?: ReactNode;
  className?: string;
}

/** How full something is: figure and bar, amber when nearly full, red when full. */
export function CapacityBar({ label, usedBytes, totalBytes, children, className }: CapacityBarProps) {
  const words = totalBytes === null ? `${formatBytes(usedBytes)} used` : `${formatBytes(usedBytes)} of ${formatBytes(totalBytes)} used`;
  const text = <span className="figures text-sm text-ink-muted">{children ?? words}</span>;
  if (totalBytes === null || totalBytes <= 0) return <div className={className}>{text}</div>;

  const share = Math.min(1, usedBytes / totalBytes);
  return (
    <Meter.Root aria-label={label} aria-valuetext={words} value={share * 100} className={cn("flex flex-col gap-1.5", className)}>
      <Meter.Track className="h-1.5 overflow-hidden rounded-full bg-line">
        <Meter.Indicator
          className={cn("min-w-1 rounded-full", share >= FULL ? "bg-unreadable" : share >= NEARLY_FULL ? "bg-at-risk" : "bg-kelp")}
        />
      </Meter.Track>
      {text}
    </Meter.Root>
  );
}
