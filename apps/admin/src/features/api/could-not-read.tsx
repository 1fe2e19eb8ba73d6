import { Button, EmptyState } from "@holdfast/ui";
import { Unplug } from "lucide-react";

/** Stands where figures should be that the server refuses to give; what merely does not answer is asked again by itself. */
export function CouldNotRead({ onRetry }: { onRetry: () => void }) {
  return (
    <EmptyState icon={<Unplug />} title="This could not be read" actions={<Button onClick={onRetry}>Try again</Button>}>
      The fault is in the console, and its log says what it was. The cluster goes on without it.
    </EmptyState>
  );
}
