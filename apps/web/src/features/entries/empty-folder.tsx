"use client";
import { ContextMenu, EmptyState } from "@holdfast/ui";
import { FolderOpen } from "lucide-react";
import type { ReactNode } from "react";

export function EmptyFolder({ menu }: { menu: ReactNode }) {
  return (
    <ContextMenu items={menu} className="flex min-h-0 flex-1 flex-col justify-center">
      <EmptyState icon={<FolderOpen />} title="Nothing here yet">
        Drop files or folders here, or press New.
      </EmptyState>
    </ContextMenu>
  );
}
