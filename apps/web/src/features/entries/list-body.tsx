"use client";
import { Button, EmptyState, wordsFor } from "@holdfast/ui";
import { ServerCrash } from "lucide-react";
import type { ReactNode } from "react";
import { RowsSkeleton } from "./folder-skeleton.tsx";
import type { EntryRows } from "./use-entries.ts";

/** A list in its states: not there yet, refused, empty, or rows. */
export function ListBody({ list, empty, children }: { list: EntryRows; empty: ReactNode; children: ReactNode }) {
  if (list.rows !== undefined) return list.rows.length === 0 ? empty : children;
  if (!list.error) return <RowsSkeleton />;
  return (
    <EmptyState
      icon={<ServerCrash />}
      title="This list cannot be shown"
      className="flex-1"
      actions={<Button onClick={list.reload}>Try again</Button>}
    >
      {wordsFor(list.error)}
    </EmptyState>
  );
}
