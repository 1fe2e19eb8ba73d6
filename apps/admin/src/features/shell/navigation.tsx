"use client";
import { cn } from "@holdfast/ui";
import { ChartArea, Gauge, ScrollText, Server } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";

const places = [
  { href: "/", icon: Gauge, name: "Overview" },
  { href: "/nodes", icon: Server, name: "Nodes" },
  { href: "/history", icon: ChartArea, name: "History" },
  { href: "/events", icon: ScrollText, name: "Events" },
];

export function Navigation() {
  const pathname = usePathname();
  return (
    <nav aria-label="Console" className="flex gap-0.5 max-sm:justify-around sm:flex-col">
      {places.map(({ href, icon: Icon, name }) => {
        const current = href === "/" ? pathname === "/" : pathname.startsWith(href);
        return (
          <Link
            key={href}
            href={href}
            aria-current={current ? "page" : undefined}
            className={cn(
              "flex items-center gap-3 rounded-md font-medium text-ink-muted transition-colors hover:bg-hover hover:text-ink sm:h-9 sm:px-3 [&_svg]:size-[1.125rem]",
              "max-sm:my-1 max-sm:h-12 max-sm:flex-1 max-sm:flex-col max-sm:justify-center max-sm:gap-0.5 max-sm:text-xs",
              current && "text-ink max-sm:text-kelp sm:bg-kelp-soft [&_svg]:text-kelp",
            )}
          >
            <Icon aria-hidden />
            {name}
          </Link>
        );
      })}
    </nav>
  );
}
