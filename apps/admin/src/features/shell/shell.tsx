"use client";
import { Logo, ThemeToggle } from "@holdfast/ui";
import Link from "next/link";
import type { ReactNode } from "react";
import { ConnectionBanner } from "../live/connection-banner.tsx";
import { AccountMenu } from "../session/account-menu.tsx";
import { Navigation } from "./navigation.tsx";

/** The frame of every page: it stays while the pages inside change. */
export function Shell({ children }: { children: ReactNode }) {
  return (
    <div className="grid h-dvh grid-rows-[auto_minmax(0,1fr)_auto] sm:grid-cols-[13rem_minmax(0,1fr)] sm:grid-rows-[auto_minmax(0,1fr)]">
      <header className="col-span-full flex h-14 items-center gap-1 px-4">
        <Link href="/" className="mr-auto rounded-md">
          <Logo product="Console" />
        </Link>
        <ThemeToggle />
        <AccountMenu />
      </header>
      <aside className="hidden px-3 sm:block">
        <Navigation />
      </aside>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard */}
      <main tabIndex={0} className="relative min-w-0 overflow-y-auto border-t outline-hidden sm:rounded-tl-md sm:border-l">
        <ConnectionBanner />
        {children}
      </main>
      <footer className="border-t pb-[env(safe-area-inset-bottom)] sm:hidden">
        <Navigation />
      </footer>
    </div>
  );
}
