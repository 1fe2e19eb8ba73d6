import type { ReactNode } from "react";
import { SessionGate } from "../../features/session/session-gate.tsx";
import { Shell } from "../../features/shell/shell.tsx";

export default function DriveLayout({ children }: { children: ReactNode }) {
  return (
    <Shell>
      <SessionGate>{children}</SessionGate>
    </Shell>
  );
}
