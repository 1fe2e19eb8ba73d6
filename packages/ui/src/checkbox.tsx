"use client";
import { Checkbox as Base } from "@base-ui/react/checkbox";
import { Check } from "lucide-react";
import type { ReactNode } from "react";

/** A labelled checkbox. */
export function Checkbox({ checked, onChange, children }: { checked: boolean; onChange: (checked: boolean) => void; children: ReactNode }) {
  return (
    <label className="flex items-center gap-2.5 text-base select-none pointer-coarse:min-h-11">
      <Base.Root
        checked={checked}
        onCheckedChange={onChange}
        className="flex size-4 shrink-0 items-center justify-center rounded-[0.25rem] border border-line-strong bg-surface data-checked:border-kelp data-checked:bg-kelp"
      >
        <Base.Indicator className="text-on-kelp">
          <Check className="size-3" strokeWidth={3} />
        </Base.Indicator>
      </Base.Root>
      {children}
    </label>
  );
}
