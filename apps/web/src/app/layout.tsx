import { parseTheme, themeAttributes, themeColors, themeCookie } from "@holdfast/ui";
import type { Metadata, Viewport } from "next";
import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { Providers } from "../features/shell/providers.tsx";
import "./globals.css";

export const metadata: Metadata = {
  title: { template: "%s · Holdfast", default: "Holdfast" },
  description: "A Drive that keeps its files through dead disks and dead machines.",
};

export const viewport: Viewport = { themeColor: themeColors };

export default async function RootLayout({ children }: { children: ReactNode }) {
  const theme = parseTheme((await cookies()).get(themeCookie)?.value);
  return (
    <html lang="en" {...themeAttributes(theme)}>
      <body>
        <Providers theme={theme}>{children}</Providers>
      </body>
    </html>
  );
}
