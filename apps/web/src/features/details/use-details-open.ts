"use client";
import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let open = false;

function set(next: boolean): void {
  open = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether the details panel is shown; stays as it is from folder to folder. */
export function useDetailsOpen(): { open: boolean; show: () => void; toggle: () => void } {
  const isOpen = useSyncExternalStore(
    subscribe,
    () => open,
    () => false,
  );
  return { open: isOpen, show: () => set(true), toggle: () => set(!open) };
}
