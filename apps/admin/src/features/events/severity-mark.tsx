import type { EventRecord } from "@holdfast/core/events";
import { CircleX, Info, TriangleAlert } from "lucide-react";

const marks: Record<EventRecord["severity"], { icon: typeof Info; color: string; word: string }> = {
  info: { icon: Info, color: "text-tide", word: "Information" },
  warning: { icon: TriangleAlert, color: "text-at-risk", word: "Warning" },
  error: { icon: CircleX, color: "text-unreadable", word: "Fault" },
};

export function SeverityMark({ severity }: { severity: EventRecord["severity"] }) {
  const { icon: Icon, color, word } = marks[severity];
  return (
    <span className={`inline-flex shrink-0 ${color}`}>
      <Icon aria-hidden className="size-4" />
      <span className="sr-only">{word}:</span>
    </span>
  );
}
