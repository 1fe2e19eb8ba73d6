import { Logo } from "@holdfast/ui";
import type { ReactNode } from "react";

export default function WelcomeLayout({ children }: { children: ReactNode }) {
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-8 px-4 py-10">
      <Logo />
      <div className="w-full max-w-sm rounded-md bg-surface p-6 shadow-md sm:p-8">{children}</div>
      <p className="max-w-sm text-center text-sm text-balance text-ink-muted">
        Every file on several machines. One can die and nothing is lost.
      </p>
    </main>
  );
}
