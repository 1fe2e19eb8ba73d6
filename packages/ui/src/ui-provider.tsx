"use client";
import { createContext, type ReactNode, use } from "react";
import type { Theme } from "./theme.ts";
import { Toaster } from "./toaster.tsx";
import { TooltipProvider } from "./tooltip.tsx";

const ThemeContext = createContext<Theme>("system");

/** The theme of the page as the server rendered it. */
export function useInitialTheme(): Theme {
  return use(ThemeContext);
}

/** Once per app, around everything: what the components have in common. `theme` is what the server read from the cookie. */
export function UiProvider({ theme, children }: { theme: Theme; children: ReactNode }) {
  return (
    <ThemeContext value={theme}>
      <TooltipProvider>
        {children}
        <Toaster />
      </TooltipProvider>
    </ThemeContext>
  );
}
