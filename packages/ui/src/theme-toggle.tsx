"use client";
import { Monitor, Moon, Sun } from "lucide-react";
import { useState } from "react";
import { IconButton } from "./icon-button.tsx";
import { applyTheme, type Theme } from "./theme.ts";
import { useInitialTheme } from "./ui-provider.tsx";

const next: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const icons: Record<Theme, typeof Sun> = { system: Monitor, light: Sun, dark: Moon };

/** One button through system, light and dark. */
export function ThemeToggle() {
  const [theme, setTheme] = useState(useInitialTheme());
  const Icon = icons[theme];

  const toggle = (): void => {
    applyTheme(next[theme]);
    setTheme(next[theme]);
  };
  return (
    <IconButton label={`Theme: ${theme}`} onClick={toggle}>
      <Icon />
    </IconButton>
  );
}
