import { Fault } from "@holdfast/ui";

/** What stands where a page broke. */
export function PageFault({ onRetry }: { onRetry: () => void }) {
  return (
    <Fault heading="h1" onRetry={onRetry}>
      The fault is in the console; the cluster goes on without it. If it happens again, reload the page.
    </Fault>
  );
}
