"use client";
/** What the lists on screen show before the server has agreed, and how to take that back. */
import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { type Answers, useTRPC } from "../api/trpc.ts";
import type { Entry } from "./entry.ts";

type Pages = InfiniteData<Answers["entries"]["list"]>;

export interface ListCache {
  /** Takes rows out of every list; the result puts them back. */
  remove: (ids: readonly string[]) => () => void;
  /** Changes a row in every list; the result changes it back. */
  patch: (id: string, change: Partial<Entry>) => () => void;
  /** Asks the server what is true: lists, folders, details, the storage used. */
  refresh: () => void;
}

export function useListCache(): ListCache {
  const trpc = useTRPC();
  const queryClient = useQueryClient();

  return useMemo(() => {
    const lists = [{ queryKey: trpc.entries.list.pathKey() }, { queryKey: trpc.entries.trashed.pathKey() }];

    function update(changeItems: (items: Entry[]) => Entry[]): () => void {
      const before = lists.flatMap((list) => queryClient.getQueriesData<Pages>(list));
      for (const list of lists) {
        // An answer that is on its way knows nothing of this change yet.
        void queryClient.cancelQueries(list, { silent: true });
        queryClient.setQueriesData<Pages>(list, (data) => data && mapItems(data, changeItems));
      }
      return () => {
        for (const [key, data] of before) queryClient.setQueryData(key, data);
      };
    }

    return {
      remove: (ids) => {
        const gone = new Set(ids);
        return update((items) => items.filter((item) => !gone.has(item.id)));
      },
      patch: (id, change) => update((items) => items.map((item) => (item.id === id ? { ...item, ...change } : item))),
      refresh: () => {
        void queryClient.invalidateQueries({ queryKey: trpc.entries.pathKey() });
        void queryClient.invalidateQueries({ queryKey: trpc.account.pathKey() });
      },
    };
  }, [trpc, queryClient]);
}

function mapItems(data: Pages, changeItems: (items: Entry[]) => Entry[]): Pages {
  return { ...data, pages: data.pages.map((page) => ({ ...page, items: changeItems(page.items) })) };
}
