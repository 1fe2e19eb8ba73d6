import { cn } from "./class-names.ts";

/** Three roots gripping a stone: three copies, one file. Roots take the text's colour, the stone the accent. */
export function Mark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" fill="none" aria-hidden className={cn("size-6 shrink-0", className)}>
      <circle className="fill-kelp" cx="16" cy="20" r="6.9" />
      <g stroke="currentColor" strokeWidth="2.6" strokeLinecap="round">
        <path d="M16 2.8c0 6.2-11.2 6.2-11.2 16 0 4.6 2.2 8.2 6.2 10.2" />
        <path d="M16 2.8c0 6.2 11.2 6.2 11.2 16 0 4.6-2.2 8.2-6.2 10.2" />
        <path d="M16 2.8v17" />
      </g>
    </svg>
  );
}

/** The mark with the name beside it. `product` tells the two apps apart. */
export function Logo({ product, className }: { product?: string; className?: string }) {
  return (
    <span className={cn("inline-flex items-center gap-2 text-lg font-semibold tracking-tight text-ink", className)}>
      <Mark />
      Holdfast
      {product && <span className="font-normal text-ink-faint">{product}</span>}
    </span>
  );
}
