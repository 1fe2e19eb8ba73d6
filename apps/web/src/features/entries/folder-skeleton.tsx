import { Skeleton } from "@holdfast/ui";

const widths = ["w-40", "w-56", "w-32", "w-48", "w-64", "w-36", "w-44", "w-52"];

/** A folder before anything is known of it, at the sizes it will have. */
export function FolderSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-13 shrink-0 items-center border-b px-4">
        <Skeleton className="w-28" />
      </div>
      <RowsSkeleton />
    </div>
  );
}

export function RowsSkeleton() {
  return (
    <div aria-hidden className="overflow-hidden">
      <div className="h-9 border-b" />
      {widths.map((width) => (
        <div key={width} className="flex h-14 items-center gap-3 border-b border-line/60 px-4 sm:h-10">
          <Skeleton className="size-[1.125rem]" />
          <Skeleton className={width} />
          <Skeleton className="ml-auto w-16 max-sm:hidden" />
        </div>
      ))}
    </div>
  );
}
