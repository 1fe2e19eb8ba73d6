import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "./class-names.ts";
import { Tooltip } from "./tooltip.tsx";

export const iconButtonStyles = cva(
  "inline-flex shrink-0 items-center justify-center rounded-md text-ink-muted transition-colors hover:bg-hover hover:text-ink disabled:pointer-events-none disabled:opacity-40 data-popup-open:bg-hover data-popup-open:text-ink",
  {
    variants: { size: { sm: "size-7 pointer-coarse:size-9 [&_svg]:size-4", md: "size-9 pointer-coarse:size-11 [&_svg]:size-[1.125rem]" } },
    defaultVariants: { size: "md" },
  },
);

export interface IconButtonProps extends ComponentProps<"button">, VariantProps<typeof iconButtonStyles> {
  /** Its name, for screen readers and as the tooltip. */
  label: string;
  /** The key that does the same, shown in the tooltip. */
  shortcut?: string;
}

export function IconButton({ label, shortcut, size, className, type = "button", ...props }: IconButtonProps) {
  return (
    <Tooltip label={label} shortcut={shortcut}>
      <button type={type} aria-label={label} className={cn(iconButtonStyles({ size }), className)} {...props} />
    </Tooltip>
  );
}
