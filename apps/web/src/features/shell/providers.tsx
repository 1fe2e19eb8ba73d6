"use client";
import { type Theme, Toaster, TooltipProvider } from "@holdfast/ui";
import { createContext, type ReactNode, use } from "react";
import { ApiProvider } from "../api/api-provider.tsx";
import { UploadsProvider } from "../uploads/uploads-provider.tsx";

const ThemeContext = createContext<Theme>("system");

/** The theme of the page as the server rendered it. */
export function useInitialTheme(): Theme {
  return use(ThemeContext);
}

/** What outlives every navigation: the cache, the uploads, the toasts. */
export function Providers({ theme, children }: { theme: Theme; children: ReactNode }) {
  return (
    <ThemeContext value={theme}>
      <ApiProvider>
        <TooltipProvider>
          <UploadsProvider>{children}</UploadsProvider>
          <Toaster />
        </TooltipProvider>
      </ApiProvider>
    </ThemeContext>
  );
}
