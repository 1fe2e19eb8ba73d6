import { parseTheme, themeAttributes, themeColors, themeCookie } from "@holdfast/ui";
import type { Metadata, Viewport } from "next";
import { cookies } from "next/headers";
import type { ReactNode } from "react";
import { SessionGate } from "../features/session/session-gate.tsx";
import { Providers } from "../features/shell/providers.tsx";
import "./globals.css";

export const metadata: Metadata = {
  title: { template: "%s · Holdfast Console", default: "Holdfast Console" },
  description: "How safe the data is, and what the cluster does about it.",
};

export const viewport: Viewport = { themeColor: themeColors };

export default async function RootLayout({ children }: { children: ReactNode }) {
  const theme = parseTheme((await cookies()).get(themeCookie)?.value);
  return (
    <html lang="en" {...themeAttributes(theme)}>
      <body>
        <Providers theme={theme}>
          <SessionGate>{children}</SessionGate>
        </Providers>
      </body>
    </html>
  );
}
