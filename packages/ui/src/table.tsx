import type { ComponentProps } from "react";
import { cn } from "./class-names.ts";

/** A plain table of facts; wide ones scroll inside their own box, which the keyboard can reach. */
export function Table({ label, className, ...props }: ComponentProps<"table"> & { label: string }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a box that scrolls must be reachable by keyboard
    <section aria-label={label} tabIndex={0} className="overflow-x-auto focus-visible:-outline-offset-2">
      <table className={cn("w-full border-collapse text-left text-base", className)} {...props} />
    </section>
  );
}

export function TableHeader({ className, ...props }: ComponentProps<"thead">) {
  return <thead className={cn("text-sm text-ink-muted [&_th]:h-9 [&_th]:font-medium", className)} {...props} />;
}

export function TableRow({ className, ...props }: ComponentProps<"tr">) {
  return <tr className={cn("border-b last:border-b-0 [tbody_&]:hover:bg-hover", className)} {...props} />;
}

/** `numeric` aligns figures right, digit under digit. */
export function TableHead({ numeric = false, className, ...props }: ComponentProps<"th"> & { numeric?: boolean }) {
  return <th scope="col" className={cn("px-4 whitespace-nowrap", numeric && "text-right", className)} {...props} />;
}

export function TableCell({ numeric = false, className, ...props }: ComponentProps<"td"> & { numeric?: boolean }) {
  return <td className={cn("h-10 px-4 whitespace-nowrap", numeric && "figures text-right", className)} {...props} />;
}
