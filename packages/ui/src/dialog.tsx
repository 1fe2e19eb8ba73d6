"use client";
import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "./class-names.ts";
import { iconButtonStyles } from "./icon-button.tsx";

interface DialogProps {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  children?: ReactNode;
  className?: string;
  /** What has focus first; the first control in it when absent. */
  initialFocus?: ComponentProps<typeof Base.Popup>["initialFocus"];
}

/** A modal question or form. On a phone it rises from the bottom edge, within reach of the thumb. */
export function Dialog({ open, onClose, title, description, children, className, initialFocus }: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-scrim transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <Base.Viewport className="fixed inset-0 z-40 flex items-end justify-center overflow-y-auto sm:items-start sm:px-4 sm:pt-[14vh]">
          <Base.Popup
            initialFocus={initialFocus}
            className={cn(
              "floats relative flex w-full flex-col gap-4 rounded-t-md bg-raised p-5 pb-[max(1.25rem,env(safe-area-inset-bottom))] shadow-md outline-hidden sm:max-w-md sm:rounded-md",
              className,
            )}
          >
            <div className="flex flex-col gap-1 pr-8">
              <Base.Title className="text-lg font-semibold text-ink">{title}</Base.Title>
              {description && <Base.Description className="text-ink-muted">{description}</Base.Description>}
            </div>
            {children}
            {/* No tooltip: Escape would close that first and leave the dialog open. */}
            <Base.Close aria-label="Close" className={cn(iconButtonStyles({ size: "sm" }), "absolute top-3.5 right-3.5")}>
              <X />
            </Base.Close>
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  );
}

/** The row of buttons that ends a dialog; the one that acts comes last. */
export function DialogActions({ className, ...props }: ComponentProps<"div">) {
  return <div className={cn("flex flex-wrap justify-end gap-2 max-sm:flex-col-reverse max-sm:items-stretch", className)} {...props} />;
}
