"use client";
import type { NodeReport } from "@holdfast/core/cluster-state";
import { Badge, type DataState, StateMark } from "@holdfast/ui";
import { useStaleness } from "../live/staleness.ts";

const marks: Record<NodeReport["health"], { state: DataState; word: string }> = {
  up: { state: "ok", word: "Up" },
  slow: { state: "at-risk", word: "Slow" },
  suspect: { state: "degraded", word: "Suspect" },
  down: { state: "unreadable", word: "Down" },
};

/** A node's health as far as anybody knows: without news it is unknown, whatever it was before. */
export function NodeHealth({ node }: { node: Pick<NodeReport, "health" | "intent"> }) {
  const stale = useStaleness() !== undefined;
  const { state, word } = marks[node.health];
  return (
    <span className="inline-flex items-center gap-2">
      <StateMark state={stale ? "unknown" : state}>{stale ? `Unknown, was ${word.toLowerCase()}` : word}</StateMark>
      {node.intent !== "active" && <Badge>{node.intent}</Badge>}
    </span>
  );
}
