import { Logo, ThemeToggle } from "@holdfast/ui";
import Link from "next/link";
import type { ReactNode } from "react";
import { AccountMenu } from "../session/account-menu.tsx";
import { DropArea } from "../uploads/drop-area.tsx";
import { ConnectionBanner } from "./connection-banner.tsx";
import { DriveNavigation } from "./drive-navigation.tsx";
import { NewMenu } from "./new-menu.tsx";
import { StorageUsed } from "./storage-used.tsx";

/** The frame of every Drive page: it stays while the pages inside change. */
export function Shell({ children }: { children: ReactNode }) {
  return (
    <div className="grid h-dvh grid-rows-[auto_minmax(0,1fr)_auto] sm:grid-cols-[15rem_minmax(0,1fr)] sm:grid-rows-[auto_minmax(0,1fr)]">
      <header className="col-span-full flex h-14 items-center gap-1 px-4">
        <Link href="/" className="mr-auto rounded-md">
          <Logo />
        </Link>
        <ThemeToggle />
        <AccountMenu />
      </header>
      <aside className="hidden flex-col gap-4 px-3 pb-4 sm:flex">
        <NewMenu />
        <DriveNavigation />
        <StorageUsed className="mt-auto px-3" />
      </aside>
      <main className="relative flex min-w-0 flex-col overflow-hidden border-t bg-surface sm:mr-3 sm:mb-3 sm:rounded-md sm:border">
        <ConnectionBanner />
        <DropArea>{children}</DropArea>
      </main>
      <footer className="border-t bg-paper pb-[env(safe-area-inset-bottom)] sm:hidden">
        <DriveNavigation />
        <NewMenu floating />
      </footer>
    </div>
  );
}
