import { Logo } from "@holdfast/ui";
import type { ReactNode } from "react";

/** The frame around whoever is not inside yet. */
export function Welcome({ children }: { children: ReactNode }) {
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-8 px-4 py-10">
      <Logo product="Console" />
      <div className="w-full max-w-sm rounded-md bg-surface p-6 shadow-md sm:p-8">{children}</div>
    </main>
  );
}
