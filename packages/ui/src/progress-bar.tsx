"use client";
import { Progress } from "@base-ui/react/progress";
import { cn } from "./class-names.ts";

interface ProgressBarProps {
  /** What is progressing, for screen readers. */
  label: string;
  /** From 0 to 1; null while nobody can say. */
  share: number | null;
  tone?: "active" | "paused" | "failed" | "done";
  className?: string;
}

const tones = { active: "bg-kelp", paused: "bg-line-strong", failed: "bg-unreadable", done: "bg-ok" };

export function ProgressBar({ label, share, tone = "active", className }: ProgressBarProps) {
  return (
    <Progress.Root aria-label={label} value={share === null ? null : Math.round(share * 100)} className={cn("block", className)}>
      <Progress.Track className="h-1 overflow-hidden rounded-full bg-line">
        <Progress.Indicator
          className={cn(
            "h-full rounded-full transition-[width] duration-300 data-indeterminate:w-1/3 data-indeterminate:animate-pulse",
            tones[tone],
          )}
        />
      </Progress.Track>
    </Progress.Root>
  );
}
