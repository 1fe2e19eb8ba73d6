"use client";
import { useEffect } from "react";

/** Names the page once its subject is known; until then the route's own title stands. */
export function usePageTitle(title: string | undefined): void {
  useEffect(() => {
    if (title !== undefined) document.title = `${title} · Holdfast`;
  }, [title]);
}
