import { Welcome } from "@holdfast/ui";
import type { ReactNode } from "react";

export default function WelcomeLayout({ children }: { children: ReactNode }) {
  return <Welcome footer="Every file on several machines. One can die and nothing is lost.">{children}</Welcome>;
}
