import type { ComponentProps } from "react";
import { cn } from "./class-names.ts";

export function Kbd({ className, ...props }: ComponentProps<"kbd">) {
  return (
    <kbd
      className={cn(
        "inline-flex h-5 min-w-5 items-center justify-center rounded-[0.25rem] border bg-paper px-1 font-sans text-xs text-ink-muted",
        className,
      )}
      {...props}
    />
  );
}
