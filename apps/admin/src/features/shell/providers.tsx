"use client";
import { type Theme, UiProvider } from "@holdfast/ui";
import type { ReactNode } from "react";
import { ApiProvider } from "../api/api-provider.tsx";

export function Providers({ theme, children }: { theme: Theme; children: ReactNode }) {
  return (
    <ApiProvider>
      <UiProvider theme={theme}>{children}</UiProvider>
    </ApiProvider>
  );
}
