import { Fault } from "@holdfast/ui";

/** What stands where a page broke. Uploads live above it and go on. */
export function PageFault({ onRetry }: { onRetry: () => void }) {
  return (
    <main className="flex min-h-full items-center justify-center">
      <Fault heading="h1" onRetry={onRetry}>
        The fault is ours, and your files are not touched by it. If it happens again, reload the page.
      </Fault>
    </main>
  );
}
