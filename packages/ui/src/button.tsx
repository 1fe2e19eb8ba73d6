import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "./class-names.ts";

/** Also for links that look like buttons: `<Link className={buttonStyles({ look: "primary" })}>`. */
export const buttonStyles = cva(
  "inline-flex shrink-0 items-center justify-center gap-2 rounded-md font-medium whitespace-nowrap transition-colors select-none disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      look: {
        primary: "bg-kelp text-on-kelp hover:bg-kelp-strong active:bg-kelp-strong",
        secondary: "border border-line bg-surface text-ink hover:bg-hover data-popup-open:bg-hover",
        ghost: "text-ink-muted hover:bg-hover hover:text-ink data-popup-open:bg-hover data-popup-open:text-ink",
        danger: "bg-unreadable text-surface hover:opacity-90",
      },
      size: {
        sm: "h-7 px-2.5 text-sm pointer-coarse:h-9",
        md: "h-9 px-3.5 text-base pointer-coarse:h-11",
      },
    },
    defaultVariants: { look: "secondary", size: "md" },
  },
);

export interface ButtonProps extends ComponentProps<"button">, VariantProps<typeof buttonStyles> {
  /** While true the button keeps its width, says so to screen readers and does nothing. */
  busy?: boolean;
}

export function Button({ look, size, busy = false, className, disabled, type = "button", ...props }: ButtonProps) {
  return (
    <button
      type={type}
      aria-busy={busy || undefined}
      disabled={disabled || busy}
      className={cn(buttonStyles({ look, size }), busy && "cursor-progress", className)}
      {...props}
    />
  );
}
