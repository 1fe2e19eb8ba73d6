"use client";
import { Fault } from "../features/shell/fault.tsx";

export default function PageError({ retry }: { error: unknown; retry: () => void }) {
  return <Fault onRetry={retry} />;
}
