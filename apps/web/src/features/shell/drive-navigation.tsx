"use client";
import { cn } from "@holdfast/ui";
import { HardDrive, Trash2 } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { type ReactNode, useRef } from "react";
import { useEntryDrop } from "../entries/drag.ts";
import { useEntryActions } from "../entries/use-entry-actions.ts";
import { useAccount } from "../session/use-account.ts";

/** Where one can be; also where rows can be dropped. */
export function DriveNavigation() {
  const account = useAccount();
  const { moveTo, trash } = useEntryActions();

  return (
    <nav aria-label="Drive" className="flex gap-0.5 max-sm:justify-around sm:flex-col">
      <Place
        href="/"
        icon={<HardDrive />}
        also="/folder/"
        onDropEntries={(entries) => account && moveTo(entries, { id: account.rootId, name: "My Drive" })}
      >
        My Drive
      </Place>
      <Place href="/trash" icon={<Trash2 />} onDropEntries={trash}>
        Trash
      </Place>
    </nav>
  );
}

interface PlaceProps {
  href: string;
  icon: ReactNode;
  /** Addresses that start like this belong to the place too. */
  also?: string;
  onDropEntries: Parameters<typeof useEntryDrop>[1];
  children: ReactNode;
}

function Place({ href, icon, also, onDropEntries, children }: PlaceProps) {
  const pathname = usePathname();
  const element = useRef<HTMLAnchorElement>(null);
  const isOver = useEntryDrop(element, onDropEntries);
  const current = pathname === href || (also !== undefined && pathname.startsWith(also));
  return (
    <Link
      ref={element}
      href={href}
      aria-current={current ? "page" : undefined}
      className={cn(
        "flex items-center gap-3 rounded-md font-medium text-ink-muted transition-colors hover:bg-hover hover:text-ink sm:h-9 sm:px-3 [&_svg]:size-[1.125rem]",
        "max-sm:my-1 max-sm:h-12 max-sm:flex-1 max-sm:flex-col max-sm:justify-center max-sm:gap-0.5 max-sm:text-xs",
        current && "text-ink sm:bg-kelp-soft sm:hover:bg-kelp-soft max-sm:text-kelp [&_svg]:text-kelp",
        isOver && "bg-kelp-soft ring-2 ring-kelp",
      )}
    >
      {icon}
      {children}
    </Link>
  );
}
