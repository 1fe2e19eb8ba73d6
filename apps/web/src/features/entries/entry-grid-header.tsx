import { cn } from "@holdfast/ui";
import { ArrowDown, ArrowUp } from "lucide-react";
import type { Sort, SortColumn } from "./sorting.ts";

/** The widths of the columns, shared by the header and every row. On a phone a row is one column of two lines. */
export const gridColumns = "grid grid-cols-[2.75rem_minmax(0,1fr)_2.75rem] sm:grid-cols-[2.75rem_minmax(0,1fr)_9rem_6rem_2.75rem]";

export interface EntryGridHeaderProps {
  sort?: Sort;
  onSort?: (column: SortColumn) => void;
  dateLabel: string;
}

export function EntryGridHeader({ sort, onSort, dateLabel }: EntryGridHeaderProps) {
  return (
    <div role="rowgroup" className="sticky top-0 z-10 border-b bg-surface text-sm text-ink-muted">
      <div role="row" aria-rowindex={1} className={cn(gridColumns, "h-9 items-center")}>
        <span role="columnheader" className="sr-only">
          Select
        </span>
        <Heading column="name" sort={sort} onSort={onSort} className="col-start-2">
          Name
        </Heading>
        <Heading column="modified" sort={sort} onSort={onSort} className="max-sm:hidden">
          {dateLabel}
        </Heading>
        <Heading column="size" sort={sort} onSort={onSort} className="justify-end max-sm:hidden [&>button]:flex-row-reverse">
          Size
        </Heading>
        <span role="columnheader" className="sr-only">
          Actions
        </span>
      </div>
    </div>
  );
}

interface HeadingProps extends Omit<EntryGridHeaderProps, "dateLabel"> {
  column: SortColumn;
  className?: string;
  children: string;
}

function Heading({ column, sort, onSort, className, children }: HeadingProps) {
  const sorted = sort?.column === column ? sort.direction : undefined;
  const Arrow = sorted === "desc" ? ArrowDown : ArrowUp;
  return (
    <div
      role="columnheader"
      aria-sort={sorted && (sorted === "asc" ? "ascending" : "descending")}
      className={cn("flex min-w-0 items-center", className)}
    >
      {onSort ? (
        <button
          type="button"
          onClick={() => onSort(column)}
          className="group flex h-7 items-center gap-1 rounded-md font-medium hover:text-ink"
        >
          {children}
          <Arrow aria-hidden className={cn("size-3.5", sorted ? "text-kelp" : "opacity-0 group-hover:opacity-50")} />
        </button>
      ) : (
        <span className="font-medium">{children}</span>
      )}
    </div>
  );
}
