"use client";
import { cn, ContextMenu } from "@holdfast/ui";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type MouseEvent, type ReactNode, useEffect, useRef } from "react";
import type { Entry } from "./entry.ts";
import { EntryGridHeader } from "./entry-grid-header.tsx";
import { EntryRow, type RowHandlers, rowId } from "./entry-row.tsx";
import type { Sort, SortColumn } from "./sorting.ts";
import { useRowHeight } from "./use-row-height.ts";
import type { ListSelection } from "./use-list-selection.ts";

const HEADER_HEIGHT = 36;
/** Empty space after the last row: to click on, and so that no floating button covers a row for good. */
const END_SPACE = 80;
/** Rows before the end at which the next page is asked for. */
const ROWS_AHEAD = 100;

interface EntryGridProps {
  label: string;
  selection: ListSelection;
  hasMore: boolean;
  loadMore: () => void;
  /** The third column and what it says. */
  dateLabel: string;
  dateOf: (entry: Entry) => Date;
  /** Absent for a list that has one order only. */
  sort?: Sort;
  onSort?: (column: SortColumn) => void;
  /** Items of the menu: for the selection, or for the empty space around the rows. */
  menu: ReactNode;
  rowHandlers: RowHandlers;
  renamingId?: string;
}

/** The rows of a folder or of the trash: only those on screen are drawn, however many there are. */
export function EntryGrid({
  label,
  selection,
  hasMore,
  loadMore,
  menu,
  rowHandlers,
  renamingId,
  sort,
  onSort,
  dateLabel,
  dateOf,
}: EntryGridProps) {
  const { rows, active, activeIndex } = selection;
  const scroller = useRef<HTMLDivElement>(null);
  const rowHeight = useRowHeight();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => rows[index]!.id,
    overscan: 10,
    scrollPaddingStart: HEADER_HEIGHT,
    paddingEnd: END_SPACE,
    useFlushSync: false,
  });
  useEffect(() => virtual.measure(), [virtual, rowHeight]);

  useEffect(() => {
    if (activeIndex !== -1) virtual.scrollToIndex(activeIndex);
  }, [virtual, activeIndex]);

  const shown = virtual.getVirtualItems();
  const lastShown = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && lastShown > rows.length - ROWS_AHEAD) loadMore();
  }, [hasMore, lastShown, rows.length, loadMore]);

  return (
    <ContextMenu items={menu} className="min-h-0 flex-1" onContextMenu={(event) => selectForMenu(event, selection)}>
      {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the keys are heard by useListKeys */}
      <div
        ref={scroller}
        role="grid"
        aria-label={label}
        aria-multiselectable
        aria-rowcount={hasMore ? -1 : rows.length + 1}
        aria-activedescendant={active && rowId(active.id)}
        tabIndex={0}
        className="group/grid h-full overflow-y-auto outline-hidden select-none"
        onClick={(event) => event.target === event.currentTarget && selection.clear()}
      >
        <EntryGridHeader sort={sort} onSort={onSort} dateLabel={dateLabel} />
        <div role="rowgroup" className={cn("relative")} style={{ height: virtual.getTotalSize() }}>
          {shown.map(({ index, key, start }) => {
            const entry = rows[index]!;
            return (
              <EntryRow
                key={key}
                entry={entry}
                index={index}
                top={start}
                height={rowHeight}
                date={dateOf(entry)}
                selected={selection.ids.has(entry.id)}
                active={index === activeIndex}
                renaming={entry.id === renamingId}
                handlers={rowHandlers}
              />
            );
          })}
        </div>
      </div>
    </ContextMenu>
  );
}

/** A right click on a row outside the selection moves the selection there; on empty space, to nothing. The menu key keeps it. */
function selectForMenu(event: MouseEvent, selection: ListSelection): void {
  const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-entry-id]") : null;
  const id = row?.dataset["entryId"];
  const byPointer = event.button === 2 || id !== undefined;
  if (id !== undefined && !selection.ids.has(id)) selection.only(id);
  if (id === undefined && byPointer) selection.clear();
}
