import type { ReactNode } from "react";
import { cn } from "./class-names.ts";

/** How safe data is. Unreachable is `unknown`, never `ok`. */
export type DataState = "ok" | "at-risk" | "degraded" | "unreadable" | "unknown";

const marks: Record<DataState, { word: string; color: string; shape: ReactNode }> = {
  ok: { word: "OK", color: "text-ok", shape: <circle cx="8" cy="8" r="5.5" fill="currentColor" /> },
  "at-risk": {
    word: "At risk",
    color: "text-at-risk",
    shape: (
      <>
        <circle cx="8" cy="8" r="5" stroke="currentColor" strokeWidth="1.75" />
        <path d="M8 3a5 5 0 0 0 0 10Z" fill="currentColor" />
      </>
    ),
  },
  degraded: { word: "Degraded", color: "text-degraded", shape: <path d="M8 2.25 14.25 13.5H1.75Z" fill="currentColor" /> },
  unreadable: {
    word: "Unreadable",
    color: "text-unreadable",
    shape: <path d="m3.5 3.5 9 9m0-9-9 9" stroke="currentColor" strokeWidth="2.5" strokeLinecap="round" />,
  },
  unknown: {
    word: "Unknown",
    color: "text-unknown",
    shape: (
      <>
        <path d="M5 6a3 3 0 1 1 4.4 2.65c-.9.5-1.4 1-1.4 2" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
        <circle cx="8" cy="13.4" r="1.25" fill="currentColor" />
      </>
    ),
  },
};

/** A state by shape, colour and word at once. `children` replaces the word where the sentence around it needs another. */
export function StateMark({ state, className, children }: { state: DataState; className?: string; children?: ReactNode }) {
  const { word, color, shape } = marks[state];
  return (
    <span className={cn("inline-flex items-center gap-1.5 font-medium", color, className)}>
      <svg viewBox="0 0 16 16" fill="none" aria-hidden className="size-[0.9em] shrink-0">
        {shape}
      </svg>
      {children ?? word}
    </span>
  );
}
