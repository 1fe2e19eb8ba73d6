import { Button, EmptyState } from "@holdfast/ui";
import { Unplug } from "lucide-react";

/** What stands where a page broke. */
export function Fault({ onRetry }: { onRetry: () => void }) {
  return (
    <EmptyState
      icon={<Unplug />}
      title="This page broke"
      actions={
        <Button look="primary" onClick={onRetry}>
          Try again
        </Button>
      }
    >
      The fault is in the console; the cluster goes on without it. If it happens again, reload the page.
    </EmptyState>
  );
}
