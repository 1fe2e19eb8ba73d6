/**
 * Light, dark, or what the system says.
 *
 * The choice is a cookie: the server writes it into <html data-theme> before the first paint, and both apps of one host
 * share it. No cookie means the system decides, in CSS alone.
 */
export const themeCookie = "holdfast-theme";

export type Theme = "light" | "dark" | "system";

/** The frame that a browser draws around the page: paper, as the styles have it. */
export const themeColors = [
  { media: "(prefers-color-scheme: light)", color: "#f5f4ef" },
  { media: "(prefers-color-scheme: dark)", color: "#0c1416" },
];

const YEAR_S = 365 * 24 * 60 * 60;

export function parseTheme(cookie: string | undefined): Theme {
  return cookie === "light" || cookie === "dark" ? cookie : "system";
}

/** The attributes of <html> for a theme. */
export function themeAttributes(theme: Theme): { "data-theme"?: "light" | "dark" } {
  return theme === "system" ? {} : { "data-theme": theme };
}

/** In the browser: shows the theme at once and remembers it. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
    document.cookie = `${themeCookie}=; path=/; max-age=0; samesite=lax`;
  } else {
    document.documentElement.dataset.theme = theme;
    document.cookie = `${themeCookie}=${theme}; path=/; max-age=${YEAR_S}; samesite=lax`;
  }
}
