"use client";
import { useSyncExternalStore } from "react";

const WIDE_PX = 40;
/** Two lines, and room for a thumb. */
const PHONE_PX = 56;
const PHONE = "(max-width: 39.99rem)";

export function useRowHeight(): number {
  return useSyncExternalStore(
    subscribe,
    () => (matchMedia(PHONE).matches ? PHONE_PX : WIDE_PX),
    () => WIDE_PX,
  );
}

function subscribe(listener: () => void): () => void {
  const query = matchMedia(PHONE);
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}
