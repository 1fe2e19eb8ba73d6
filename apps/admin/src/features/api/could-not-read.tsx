import { Fault } from "@holdfast/ui";

/** Stands where figures should be that the server refuses to give; what merely does not answer is asked again by itself. */
export function CouldNotRead({ onRetry }: { onRetry: () => void }) {
  return (
    <Fault title="This could not be read" onRetry={onRetry}>
      The fault is in the console, and its log says what it was. The cluster goes on without it.
    </Fault>
  );
}
