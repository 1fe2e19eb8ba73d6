"use client";
import { StateMark } from "@holdfast/ui";
import { useConnectionTrouble } from "../api/connection.ts";

/** Says that the server is away, once, while everything that reads keeps trying. */
export function ConnectionBanner() {
  const trouble = useConnectionTrouble();
  return (
    <div role="status" className={trouble ? "border-b bg-at-risk-soft px-4 py-2 text-sm" : "sr-only"}>
      {trouble && <StateMark state="at-risk">{trouble} Trying again by itself.</StateMark>}
    </div>
  );
}
