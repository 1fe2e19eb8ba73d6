"use client";
import { StateMark } from "@holdfast/ui";
import { useStaleness } from "./staleness.ts";

/** Says once, for the whole page, that its figures are not of now. */
export function ConnectionBanner() {
  const words = useStaleness();
  return (
    <div className={words === undefined ? "sr-only" : "border-b bg-unknown-soft px-4 py-2 text-sm sm:px-6"}>
      <output className="sr-only">{words === undefined ? "" : "The figures on this page are no longer live."}</output>
      {words !== undefined && <StateMark state="unknown">{words}</StateMark>}
    </div>
  );
}
