import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "./class-names.ts";

const styles = cva("inline-flex h-5 items-center gap-1 rounded-full px-2 text-xs font-medium whitespace-nowrap", {
  variants: {
    tone: {
      neutral: "bg-hover text-ink-muted",
      accent: "bg-kelp-soft text-kelp",
      info: "bg-tide-soft text-tide",
      ok: "bg-ok-soft text-ok",
      "at-risk": "bg-at-risk-soft text-at-risk",
      degraded: "bg-degraded-soft text-degraded",
      unreadable: "bg-unreadable-soft text-unreadable",
      unknown: "bg-unknown-soft text-unknown",
    },
  },
  defaultVariants: { tone: "neutral" },
});

/** A short fact beside a name: a role, a count, a zone. For the health of data use `StateMark`. */
export function Badge({ tone, className, ...props }: ComponentProps<"span"> & VariantProps<typeof styles>) {
  return <span className={cn(styles({ tone }), className)} {...props} />;
}
