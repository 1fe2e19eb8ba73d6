"use client";
import { Field as Base } from "@base-ui/react/field";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "./class-names.ts";

/** A bare text box; it needs a name of its own unless a `Field` gives it one. */
export function Input({ className, ...props }: Omit<ComponentProps<typeof Base.Control>, "className"> & { className?: string }) {
  return (
    <Base.Control
      className={cn(
        "h-9 w-full rounded-md border border-line-strong bg-surface px-3 text-base text-ink transition-colors placeholder:text-ink-faint hover:border-ink-faint focus:border-kelp focus:outline-2 focus:-outline-offset-1 focus:outline-kelp disabled:opacity-60 data-invalid:border-unreadable pointer-coarse:h-11 pointer-coarse:text-lg",
        className,
      )}
      {...props}
    />
  );
}

interface FieldProps extends Omit<ComponentProps<typeof Input>, "children"> {
  label: ReactNode;
  /** What to enter, under the box. */
  hint?: ReactNode;
  /** Why it was refused, in plain words; announced when it appears. */
  error?: ReactNode;
}

/** A labelled text box with its hint and its error tied to it. */
export function Field({ label, hint, error, name, className, ...input }: FieldProps) {
  return (
    <Base.Root name={name} invalid={Boolean(error)} className={cn("flex flex-col gap-1.5", className)}>
      <Base.Label className="text-sm font-medium text-ink">{label}</Base.Label>
      <Input name={name} {...input} />
      {hint && !error && <Base.Description className="text-sm text-ink-muted">{hint}</Base.Description>}
      <Base.Error match={Boolean(error)} role="alert" className="text-sm text-unreadable">
        {error}
      </Base.Error>
    </Base.Root>
  );
}
