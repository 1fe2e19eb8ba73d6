import type { ReactNode } from "react";

/** A page's heading and its content, at one width. */
export function Page({ title, aside, children }: { title: ReactNode; aside?: ReactNode; children: ReactNode }) {
  return (
    <div className="mx-auto flex max-w-6xl flex-col gap-5 px-4 py-5 sm:px-6 sm:py-6">
      <header className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="text-xl font-semibold">{title}</h1>
        {aside}
      </header>
      {children}
    </div>
  );
}
