"use client";
import { type ExternalToast, Toaster as Sonner, toast } from "sonner";

const UNDO_OFFERED_MS = 8_000;

/**
 * Once per app. Toasts sit bottom left: the upload tray owns the other corner. On a phone they leave the navigation and the
 * New button free, and whatever else is down there by `--toast-lift`.
 */
export function Toaster() {
  return (
    <Sonner
      position="bottom-left"
      mobileOffset={{ bottom: "calc(4.75rem + var(--toast-lift, 0rem) + env(safe-area-inset-bottom))", left: "1rem", right: "1rem" }}
      gap={8}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            "flex w-(--width) max-[600px]:w-[calc(100vw-6.5rem)]! font-sans items-center gap-3 rounded-md bg-raised py-2.5 pr-2.5 pl-3.5 text-base text-ink shadow-md [&_[data-icon]]:shrink-0",
          content: "min-w-0 flex-1",
          title: "font-medium",
          description: "text-sm text-ink-muted",
          error: "[&_[data-icon]]:text-unreadable",
          actionButton: "h-7 shrink-0 rounded-md px-2.5 text-sm font-medium text-kelp hover:bg-hover",
        },
      }}
    />
  );
}

export { toast };

/** Says what was done, and offers to take it back. */
export function toastWithUndo(message: string, undo: () => void, options: ExternalToast = {}): void {
  toast(message, { duration: UNDO_OFFERED_MS, action: { label: "Undo", onClick: undo }, ...options });
}
