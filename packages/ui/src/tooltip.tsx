"use client";
import { Tooltip as Base } from "@base-ui/react/tooltip";
import type { ReactElement, ReactNode } from "react";
import { Kbd } from "./kbd.tsx";

/** Once per app, around everything: moving from one tooltip to the next shows the next at once. */
export function TooltipProvider({ children }: { children: ReactNode }) {
  return <Base.Provider delay={500}>{children}</Base.Provider>;
}

/** Names what its one child does. Never the only place where something is said: touch has no hover. */
export function Tooltip({ label, shortcut, children }: { label: ReactNode; shortcut?: string; children: ReactElement }) {
  return (
    <Base.Root>
      <Base.Trigger render={children} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} className="z-50">
          <Base.Popup className="floats flex items-center gap-2 rounded-md bg-ink px-2 py-1 text-xs text-paper">
            {label}
            {shortcut && <Kbd className="border-transparent bg-paper/15 text-paper">{shortcut}</Kbd>}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
