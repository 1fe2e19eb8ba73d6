import type { ReactNode } from "react";
import { cn } from "./class-names.ts";

interface EmptyStateProps {
  /** A lucide icon or a drawing. */
  icon: ReactNode;
  title: ReactNode;
  /** What to do next. */
  children?: ReactNode;
  actions?: ReactNode;
  /** `h1` where it is all there is on the page. */
  heading?: "h1" | "h2";
  className?: string;
}

/** What stands where there is nothing yet, or where something could not be had: what it is, and the way on. */
export function EmptyState({ icon, title, children, actions, heading: Heading = "h2", className }: EmptyStateProps) {
  return (
    <div className={cn("flex flex-col items-center justify-center gap-3 px-6 py-16 text-center", className)}>
      <div className="flex size-14 items-center justify-center rounded-full bg-kelp-soft text-kelp [&_svg]:size-6" aria-hidden>
        {icon}
      </div>
      <div className="flex max-w-sm flex-col gap-1">
        <Heading className="text-lg font-semibold">{title}</Heading>
        {children && <p className="text-balance text-ink-muted">{children}</p>}
      </div>
      {actions && <div className="mt-2 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}
