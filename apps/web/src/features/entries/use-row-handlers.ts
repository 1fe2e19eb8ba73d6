"use client";
import type { MouseEvent } from "react";
import type { Entry } from "./entry.ts";
import type { RowHandlers } from "./entry-row.tsx";
import type { ListSelection } from "./use-list-selection.ts";

interface RowActions extends Pick<RowHandlers, "onRenamed"> {
  onOpen: (entry: Entry) => void;
  /** Absent where rows can neither be dragged nor dropped on. */
  onDropInto?: RowHandlers["onDropInto"];
}

/** What the pointer does to rows. A finger opens with one tap, and adds to a selection once there is one. */
export function useRowHandlers(selection: ListSelection, { onOpen, onRenamed, onDropInto }: RowActions): RowHandlers {
  return {
    onRenamed,
    onDropInto,
    onToggle: (entry) => selection.toggle(entry.id),
    onDoubleClick: onOpen,
    onClick: (entry, event) => {
      if (isTouch(event)) {
        if (selection.ids.size > 0) selection.toggle(entry.id);
        else onOpen(entry);
      } else if (event.shiftKey) selection.extendTo(entry.id);
      else if (event.ctrlKey || event.metaKey) selection.toggle(entry.id);
      else selection.only(entry.id);
    },
    dragWith: onDropInto && ((entry) => (selection.ids.has(entry.id) ? selection.entries : [entry])),
  };
}

function isTouch({ nativeEvent }: MouseEvent): boolean {
  return "pointerType" in nativeEvent && nativeEvent.pointerType === "touch";
}
