import { Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import { EmptyState } from "./empty-state.tsx";

interface FaultProps {
  title?: string;
  /** Whose fault it is, and what it does not touch. */
  children: ReactNode;
  /** `h1` where it is all there is on the page. */
  heading?: "h1" | "h2";
  onRetry: () => void;
}

/** What stands where something of ours broke. */
export function Fault({ title = "This page broke", children, heading, onRetry }: FaultProps) {
  const retry = (
    <Button look="primary" onClick={onRetry}>
      Try again
    </Button>
  );
  return (
    <EmptyState icon={<Unplug />} heading={heading} title={title} actions={retry}>
      {children}
    </EmptyState>
  );
}
