"use client";
/** Dragging entries onto folders. Files from outside the browser come in by `uploads/drop-area`. */
import { draggable, dropTargetForElements } from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import { pointerOutsideOfPreview } from "@atlaskit/pragmatic-drag-and-drop/element/pointer-outside-of-preview";
import { setCustomNativeDragPreview } from "@atlaskit/pragmatic-drag-and-drop/element/set-custom-native-drag-preview";
import { type RefObject, useEffect, useEffectEvent, useState } from "react";
import { type Entry, nameOf } from "./entry.ts";

const dragged = Symbol("entries");

/** Makes a row draggable; `pick` says which entries go with it, once, when the drag starts. */
export function useEntryDrag(element: RefObject<HTMLElement | null>, pick: () => readonly Entry[], enabled: boolean): void {
  const picked = useEffectEvent(pick);
  useEffect(() => {
    if (!enabled || !element.current) return undefined;
    return draggable({
      element: element.current,
      getInitialData: () => ({ [dragged]: picked() }),
      onGenerateDragPreview: ({ nativeSetDragImage, source }) =>
        setCustomNativeDragPreview({
          nativeSetDragImage,
          getOffset: pointerOutsideOfPreview({ x: "12px", y: "8px" }),
          render: ({ container }) => container.append(previewOf(entriesOf(source.data))),
        }),
    });
  }, [element, enabled]);
}

/** Takes entries that `accepts` lets in; true while some are held over the element. */
export function useEntryDrop(
  element: RefObject<HTMLElement | null>,
  onDrop: (entries: readonly Entry[]) => void,
  accepts: (entries: readonly Entry[]) => boolean = () => true,
): boolean {
  const [isOver, setIsOver] = useState(false);
  const dropped = useEffectEvent(onDrop);
  const accepted = useEffectEvent(accepts);
  useEffect(() => {
    if (!element.current) return undefined;
    return dropTargetForElements({
      element: element.current,
      canDrop: ({ source }) => {
        const entries = entriesOf(source.data);
        return entries.length > 0 && accepted(entries);
      },
      onDragEnter: () => setIsOver(true),
      onDragLeave: () => setIsOver(false),
      onDrop: ({ source }) => {
        setIsOver(false);
        dropped(entriesOf(source.data));
      },
    });
  }, [element]);
  return isOver;
}

function entriesOf(data: Record<string | symbol, unknown>): readonly Entry[] {
  return (data[dragged] as readonly Entry[] | undefined) ?? [];
}

function previewOf(entries: readonly Entry[]): HTMLElement {
  const preview = document.createElement("div");
  preview.className = "max-w-64 truncate rounded-md bg-kelp px-3 py-1.5 text-base font-medium text-on-kelp";
  preview.textContent = nameOf(entries);
  return preview;
}
