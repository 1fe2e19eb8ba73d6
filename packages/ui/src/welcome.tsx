import type { ReactNode } from "react";
import { Logo } from "./logo.tsx";

/** The frame around whoever is not inside yet. `footer` is a sentence below it. */
export function Welcome({ product, footer, children }: { product?: string; footer?: ReactNode; children: ReactNode }) {
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-8 px-4 py-10">
      <Logo product={product} />
      <div className="w-full max-w-sm rounded-md bg-surface p-6 shadow-md sm:p-8">{children}</div>
      {footer && <p className="max-w-sm text-center text-sm text-balance text-ink-muted">{footer}</p>}
    </main>
  );
}
