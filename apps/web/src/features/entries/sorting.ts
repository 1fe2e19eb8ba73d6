/** How a list is sorted; remembered on this device. */
import { useSyncExternalStore } from "react";

export type SortColumn = "name" | "modified" | "size";

export interface Sort {
  column: SortColumn;
  direction: "asc" | "desc";
}

const byName: Sort = { column: "name", direction: "asc" };
const STORAGE_KEY = "holdfast-sort";
const listeners = new Set<() => void>();
let current: Sort | undefined;

/** Names start at A, dates and sizes at the latest and largest; the same column again turns it around. */
function sortedBy(sort: Sort, column: SortColumn): Sort {
  if (sort.column === column) return { column, direction: sort.direction === "asc" ? "desc" : "asc" };
  return { column, direction: column === "name" ? "asc" : "desc" };
}

export function useSort(): [Sort, (column: SortColumn) => void] {
  const sort = useSyncExternalStore(subscribe, read, () => byName);
  return [sort, (column) => write(sortedBy(sort, column))];
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function read(): Sort {
  current ??= parse(localStorage.getItem(STORAGE_KEY));
  return current;
}

function write(sort: Sort): void {
  current = sort;
  localStorage.setItem(STORAGE_KEY, `${sort.column} ${sort.direction}`);
  for (const listener of listeners) listener();
}

function parse(stored: string | null): Sort {
  const [column, direction] = (stored ?? "").split(" ");
  if (column !== "name" && column !== "modified" && column !== "size") return byName;
  return { column, direction: direction === "desc" ? "desc" : "asc" };
}
