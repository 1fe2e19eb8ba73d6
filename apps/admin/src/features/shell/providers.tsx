"use client";
import { type Theme, Toaster, TooltipProvider } from "@holdfast/ui";
import { createContext, type ReactNode, use } from "react";
import { ApiProvider } from "../api/api-provider.tsx";

const ThemeContext = createContext<Theme>("system");

/** The theme of the page as the server rendered it. */
export const useInitialTheme = (): Theme => use(ThemeContext);

export function Providers({ theme, children }: { theme: Theme; children: ReactNode }) {
  return (
    <ThemeContext value={theme}>
      <ApiProvider>
        <TooltipProvider>
          {children}
          <Toaster />
        </TooltipProvider>
      </ApiProvider>
    </ThemeContext>
  );
}
