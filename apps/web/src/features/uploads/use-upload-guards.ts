"use client";
import { useEffect } from "react";
import type { UploadSession } from "./upload-session.ts";

/** Keeps the page from being closed by mistake, keeps its name in the journal, and wakes who waits when the network is back. */
export function useUploadGuards({ queue, journal }: UploadSession): void {
  useEffect(() => {
    journal.claim();
    const warn = (event: BeforeUnloadEvent): void => {
      if (queue.view().underWay > 0) event.preventDefault();
    };
    const wake = (): void => queue.wake();
    addEventListener("beforeunload", warn);
    addEventListener("online", wake);
    return () => {
      removeEventListener("beforeunload", warn);
      removeEventListener("online", wake);
    };
  }, [queue, journal]);
}
