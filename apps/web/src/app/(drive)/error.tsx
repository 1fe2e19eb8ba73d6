"use client";
import { Fault } from "../../features/shell/fault.tsx";

export default function DriveError({ retry }: { error: unknown; retry: () => void }) {
  return <Fault onRetry={retry} />;
}
