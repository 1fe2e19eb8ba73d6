"use client";
import { cn } from "@holdfast/ui";
import { ChevronRight } from "lucide-react";
import Link from "next/link";
import { Fragment, useRef } from "react";
import { useEntryDrop } from "./drag.ts";
import { type Entry, type FolderRef, folderPath } from "./entry.ts";

interface BreadcrumbsProps {
  /** From the root to the folder that is open. */
  path: readonly FolderRef[];
  onDropInto: (folder: FolderRef, entries: readonly Entry[]) => void;
  className?: string;
}

/** The way here; each step is a link and takes what is dropped on it. A phone shows the last two steps. */
export function Breadcrumbs({ path, onDropInto, className }: BreadcrumbsProps) {
  const root = path[0];
  if (root === undefined) return <div className={className} />;
  return (
    <nav aria-label="Path" className={cn("min-w-0", className)}>
      <ol className="flex items-center">
        {path.map((folder, depth) => {
          const isLast = depth === path.length - 1;
          const step = depth === 0 ? { ...folder, name: "My Drive" } : folder;
          return (
            <Fragment key={folder.id}>
              {depth > 0 && (
                <li aria-hidden className={cn("text-ink-faint", depth < path.length - 1 && "max-sm:hidden")}>
                  <ChevronRight className="size-4" />
                </li>
              )}
              <li className={cn("min-w-0", isLast ? "shrink-0 max-sm:shrink" : "shrink", depth < path.length - 2 && "max-sm:hidden")}>
                {isLast ? (
                  <h1 className="truncate px-2 text-lg font-semibold" dir="auto" title={step.name}>
                    {step.name}
                  </h1>
                ) : (
                  <Crumb folder={step} href={folderPath(folder.id, root.id)} onDropInto={onDropInto} />
                )}
              </li>
            </Fragment>
          );
        })}
      </ol>
    </nav>
  );
}

function Crumb({ folder, href, onDropInto }: { folder: FolderRef; href: string } & Pick<BreadcrumbsProps, "onDropInto">) {
  const element = useRef<HTMLAnchorElement>(null);
  const isOver = useEntryDrop(element, (entries) => onDropInto(folder, entries));
  return (
    <Link
      ref={element}
      href={href}
      dir="auto"
      title={folder.name}
      className={cn(
        "block truncate rounded-md px-2 py-1 text-lg text-ink-muted transition-colors hover:bg-hover hover:text-ink",
        isOver && "bg-kelp-soft text-ink ring-2 ring-kelp",
      )}
    >
      {folder.name}
    </Link>
  );
}
