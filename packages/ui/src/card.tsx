import type { ComponentProps, ReactNode } from "react";
import { cn } from "./class-names.ts";

export function Card({ className, ...props }: ComponentProps<"section">) {
  return <section className={cn("rounded-md border bg-surface", className)} {...props} />;
}

/** The card's title line; `children` are its actions, on the right. */
export function CardHeader({ title, description, children }: { title: ReactNode; description?: ReactNode; children?: ReactNode }) {
  return (
    <header className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b px-4 py-3">
      <div className="min-w-0 flex-1">
        <h2 className="font-semibold">{title}</h2>
        {description && <p className="text-sm text-ink-muted">{description}</p>}
      </div>
      {children}
    </header>
  );
}
