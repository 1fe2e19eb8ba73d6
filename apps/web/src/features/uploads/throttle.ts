/** Calls through at once, then at most once per interval; a call in between is made up for at its end. */
export function throttled(call: () => void, intervalMs: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;

  const run = (): void => {
    call();
    timer = setTimeout(() => {
      timer = undefined;
      if (!again) return;
      again = false;
      run();
    }, intervalMs);
  };
  return () => {
    if (timer === undefined) run();
    else again = true;
  };
}
