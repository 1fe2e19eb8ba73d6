"use client";
import { ThemeToggle } from "@holdfast/ui";
import { useInitialTheme } from "./providers.tsx";

export function PageTheme() {
  return <ThemeToggle initial={useInitialTheme()} />;
}
