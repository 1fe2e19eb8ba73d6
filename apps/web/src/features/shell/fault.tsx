import { Button, EmptyState } from "@holdfast/ui";
import { Unplug } from "lucide-react";

/** What stands where a page broke. Uploads live above it and go on. */
export function Fault({ onRetry }: { onRetry: () => void }) {
  return (
    <main className="flex min-h-full items-center justify-center">
      <EmptyState
        icon={<Unplug />}
        heading="h1"
        title="This page broke"
        actions={
          <Button look="primary" onClick={onRetry}>
            Try again
          </Button>
        }
      >
        The fault is ours, and your files are not touched by it. If it happens again, reload the page.
      </EmptyState>
    </main>
  );
}
