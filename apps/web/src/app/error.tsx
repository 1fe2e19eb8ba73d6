"use client";
import { PageFault } from "../features/shell/page-fault.tsx";

export default function PageError({ retry }: { error: unknown; retry: () => void }) {
  return <PageFault onRetry={retry} />;
}
