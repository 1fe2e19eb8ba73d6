import { cn } from "./class-names.ts";

/** Holds the place of what is being loaded, at its final size, so that nothing moves when it comes. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn("h-4 animate-pulse rounded-[0.25rem] bg-line", className)} />;
}
