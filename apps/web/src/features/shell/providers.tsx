"use client";
import { type Theme, UiProvider } from "@holdfast/ui";
import type { ReactNode } from "react";
import { ApiProvider } from "../api/api-provider.tsx";
import { UploadsProvider } from "../uploads/uploads-provider.tsx";

/** What outlives every navigation: the cache, the uploads, the toasts. */
export function Providers({ theme, children }: { theme: Theme; children: ReactNode }) {
  return (
    <ApiProvider>
      <UiProvider theme={theme}>
        <UploadsProvider>{children}</UploadsProvider>
      </UiProvider>
    </ApiProvider>
  );
}
