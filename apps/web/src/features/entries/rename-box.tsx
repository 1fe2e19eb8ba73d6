"use client";
import { Input } from "@holdfast/ui";
import { type KeyboardEvent, useLayoutEffect, useRef } from "react";
import type { Entry } from "./entry.ts";

interface RenameBoxProps {
  entry: Entry;
  /** The new name, or undefined when it stays. */
  onDone: (name: string | undefined) => void;
}

/** The name as a text box, with everything before the extension selected. Enter and leaving keep it, Escape does not. */
export function RenameBox({ entry, onDone }: RenameBoxProps) {
  const input = useRef<HTMLInputElement>(null);
  const finished = useRef(false);

  useLayoutEffect(() => {
    input.current?.focus();
    input.current?.setSelectionRange(0, stemLength(entry));
  }, [entry]);

  const finish = (name: string | undefined): void => {
    if (finished.current) return; // leaving follows Enter
    finished.current = true;
    onDone(name === undefined || name.trim() === "" ? undefined : name);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    event.stopPropagation();
    if (event.key === "Enter") finish(event.currentTarget.value);
    if (event.key === "Escape") finish(undefined);
  };

  return (
    <Input
      ref={input}
      aria-label={`New name for ${entry.name}`}
      defaultValue={entry.name}
      className="h-8 px-2 pointer-coarse:h-10"
      autoComplete="off"
      spellCheck={false}
      onKeyDown={onKeyDown}
      onBlur={(event) => finish(event.currentTarget.value)}
      onClick={(event) => event.stopPropagation()}
      onDoubleClick={(event) => event.stopPropagation()}
    />
  );
}

function stemLength({ kind, name }: Entry): number {
  const dot = name.lastIndexOf(".");
  return kind === "file" && dot > 0 ? dot : name.length;
}
