"use client";
import { createContext, use, useSyncExternalStore } from "react";
import type { UploadQueue } from "./queue.ts";
import type { QueueView } from "./upload-store.ts";
import type { AddUploads } from "./use-add-uploads.ts";

export interface Uploads {
  queue: UploadQueue;
  /** Asks about taken names first. */
  upload: AddUploads;
  /** Opens the files again that the browser kept handles of. Call it from a click: the browser may ask. */
  resumeInterrupted: () => void;
}

export const UploadsContext = createContext<Uploads | undefined>(undefined);

/** The uploads of the page. */
export function useUploads(): Uploads {
  const uploads = use(UploadsContext);
  if (uploads === undefined) throw new Error("uploads need their provider");
  return uploads;
}

/** Everything there is to see of them, redrawn a few times a second. */
export function useQueueView(): QueueView {
  const { queue } = useUploads();
  return useSyncExternalStore(queue.subscribe, queue.view, queue.view);
}
