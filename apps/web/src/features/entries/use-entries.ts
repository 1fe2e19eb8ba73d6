"use client";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTRPC, useTRPCClient } from "../api/trpc.ts";
import type { Entry } from "./entry.ts";
import type { Sort } from "./sorting.ts";

/** The first page is quick, and 100,000 rows are a hundred requests. */
const FIRST_PAGE_ROWS = 200;
const PAGE_ROWS = 1_000;

/** The rows of a list that is loaded page by page. */
export interface EntryRows {
  /** Undefined until the first page is there. */
  rows: readonly Entry[] | undefined;
  hasMore: boolean;
  loadMore: () => void;
  /** Resolves once every row is there. */
  loadAll: () => Promise<void>;
  error: unknown;
  reload: () => void;
}

export function useFolderEntries(parentId: string, { column: sort, direction }: Sort): EntryRows {
  const trpc = useTRPC();
  const client = useTRPCClient();
  const request = { parentId, sort, direction };
  return usePages(trpc.entries.list.pathKey(), request, (page, signal) => client.entries.list.query({ ...request, ...page }, { signal }));
}

export function useTrashedEntries(): EntryRows {
  const trpc = useTRPC();
  const client = useTRPCClient();
  return usePages(trpc.entries.trashed.pathKey(), {}, (page, signal) => client.entries.trashed.query(page, { signal }));
}

type ReadPage = (
  page: { cursor: string | undefined; limit: number },
  signal: AbortSignal,
) => Promise<{ items: Entry[]; nextCursor?: string }>;

/** Not tRPC's own infinite query: that one claims the input's `direction` for itself. */
function usePages(path: readonly unknown[], request: object, read: ReadPage): EntryRows {
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: [...path, request],
    queryFn: ({ pageParam: cursor, signal }) => read({ cursor, limit: cursor === undefined ? FIRST_PAGE_ROWS : PAGE_ROWS }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor,
    // Comparing 100,000 rows with their predecessors costs more than drawing the forty that are on screen.
    structuralSharing: false,
  });
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items), [data]);
  return {
    rows,
    error,
    reload: () => void refetch(),
    hasMore: hasNextPage,
    loadMore: () => {
      if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
    },
    loadAll: async () => {
      for (let more = hasNextPage; more;) {
        const page = await fetchNextPage();
        more = page.hasNextPage && !page.isError;
      }
    },
  };
}
