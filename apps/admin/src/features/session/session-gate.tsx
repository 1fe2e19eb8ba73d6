"use client";
import { Skeleton } from "@holdfast/ui";
import type { ReactNode } from "react";
import { LiveProvider } from "../live/live-provider.tsx";
import { Page } from "../shell/page.tsx";
import { Shell } from "../shell/shell.tsx";
import { NotAnAdmin } from "./not-an-admin.tsx";
import { SignInForm } from "./sign-in-form.tsx";
import { useVisitor } from "./use-visitor.ts";

/** Shows the console to an admin, and to everybody else the way in. The server checks again with every request. */
export function SessionGate({ children }: { children: ReactNode }) {
  const { data: visitor } = useVisitor();
  switch (visitor?.kind) {
    case "admin":
      return (
        <LiveProvider>
          <Shell>{children}</Shell>
        </LiveProvider>
      );
    case "user":
      return <NotAnAdmin />;
    case "nobody":
      return <SignInForm />;
    case undefined:
      return (
        <Shell>
          <Page title={<Skeleton className="h-7 w-48" />}>
            <Skeleton className="h-64" />
          </Page>
        </Shell>
      );
  }
}
