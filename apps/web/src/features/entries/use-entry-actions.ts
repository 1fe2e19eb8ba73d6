"use client";
/**
 * What people do with entries: seen at once, taken back with the reason when the server refuses, and undone by a toast.
 */
import { toast, toastWithUndo, wordsFor } from "@holdfast/ui";
import { useMemo } from "react";
import { useTRPCClient } from "../api/trpc.ts";
import { type Entry, type FolderRef, nameOf } from "./entry.ts";
import { type ListCache, useListCache } from "./list-cache.ts";

const REQUEST_IDS_MAX = 1_000;

export interface EntryActions {
  rename: (entry: Entry, name: string) => void;
  moveTo: (entries: readonly Entry[], folder: FolderRef) => void;
  trash: (entries: readonly Entry[]) => void;
  restore: (entries: readonly Entry[]) => void;
  /** Cannot be undone; ask first. */
  deleteForever: (entries: readonly Entry[]) => void;
  emptyTrash: () => void;
}

export function useEntryActions(): EntryActions {
  const client = useTRPCClient();
  const cache = useListCache();
  return useMemo(() => entryActions(client.entries, cache), [client, cache]);
}

type EntriesApi = ReturnType<typeof useTRPCClient>["entries"];

function entryActions(api: EntriesApi, cache: ListCache): EntryActions {
  return {
    rename(entry, name) {
      if (name === entry.name) return;
      attempt(cache, `rename “${entry.name}”`, {
        show: () => cache.patch(entry.id, { name }),
        ask: () => api.rename.mutate({ id: entry.id, name }),
        announce: () =>
          toastWithUndo(`Renamed to “${name}”`, () => undo(cache, () => api.rename.mutate({ id: entry.id, name: entry.name }))),
      });
    },
    moveTo(entries, folder) {
      const moving = entries.filter((entry) => entry.parentId !== folder.id && entry.id !== folder.id);
      if (moving.length === 0) return;
      attempt(cache, `move ${nameOf(moving)}`, {
        show: () => cache.remove(idsOf(moving)),
        ask: () => inBatches(idsOf(moving), (ids) => api.move.mutate({ ids, parentId: folder.id })),
        announce: () => toastWithUndo(`Moved ${nameOf(moving)} to “${folder.name}”`, () => undo(cache, () => moveBack(api, moving))),
      });
    },
    trash(entries) {
      if (entries.length === 0) return;
      const ids = idsOf(entries);
      attempt(cache, `move ${nameOf(entries)} to the trash`, {
        show: () => cache.remove(ids),
        ask: () => inBatches(ids, (batch) => api.trash.mutate({ ids: batch })),
        announce: () =>
          toastWithUndo(`Moved ${nameOf(entries)} to the trash`, () =>
            undo(cache, () => inBatches(ids, (batch) => api.restore.mutate({ ids: batch }))),
          ),
      });
    },
    restore(entries) {
      const ids = idsOf(entries);
      attempt(cache, `restore ${nameOf(entries)}`, {
        show: () => cache.remove(ids),
        ask: () => inBatches(ids, (batch) => api.restore.mutate({ ids: batch })),
        announce: () =>
          toastWithUndo(`Restored ${nameOf(entries)}`, () =>
            undo(cache, () => inBatches(ids, (batch) => api.trash.mutate({ ids: batch }))),
          ),
      });
    },
    deleteForever(entries) {
      const ids = idsOf(entries);
      attempt(cache, `delete ${nameOf(entries)}`, {
        show: () => cache.remove(ids),
        ask: () => inBatches(ids, (batch) => deleteAll(api, batch)),
        announce: () => toast(`Deleted ${nameOf(entries)} forever`),
      });
    },
    emptyTrash() {
      attempt(cache, "empty the trash", {
        show: () => () => undefined,
        ask: () => emptyAll(api),
        announce: () => toast("The trash is empty"),
      });
    },
  };
}

/** A request ends in time, however much there is, and says what is left. */
async function deleteAll(api: EntriesApi, ids: string[]): Promise<void> {
  for (let left = ids; left.length > 0;) ({ left } = await api.deleteForever.mutate({ ids: left }));
}

/** What is trashed meanwhile stays. */
async function emptyAll(api: EntriesApi): Promise<void> {
  let answer = await api.emptyTrash.mutate({});
  while (!answer.isEmpty) answer = await api.emptyTrash.mutate({ before: answer.before });
}

interface Attempt {
  /** Shows the change before it is made; the result takes it back. */
  show: () => () => void;
  ask: () => Promise<unknown>;
  announce: () => void;
}

function attempt(cache: ListCache, what: string, { show, ask, announce }: Attempt): void {
  const takeBack = show();
  ask()
    .then(announce, (error: unknown) => {
      takeBack();
      toast.error(`Could not ${what}`, { description: wordsFor(error) });
    })
    .finally(() => cache.refresh());
}

function undo(cache: ListCache, ask: () => Promise<unknown>): void {
  attempt(cache, "undo that", { show: () => () => undefined, ask, announce: () => undefined });
}

/** Entries of one list usually share their folder, but a search or the sidebar may bring them from several. */
async function moveBack(api: EntriesApi, entries: readonly Entry[]): Promise<void> {
  for (const [parentId, siblings] of Map.groupBy(entries, (entry) => entry.parentId)) {
    if (parentId !== null) await inBatches(idsOf(siblings), (ids) => api.move.mutate({ ids, parentId }));
  }
}

/** One request takes a bounded number of entries, and all of them or none. */
async function inBatches(ids: readonly string[], ask: (batch: string[]) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < ids.length; start += REQUEST_IDS_MAX) await ask(ids.slice(start, start + REQUEST_IDS_MAX));
}

function idsOf(entries: readonly Entry[]): string[] {
  return entries.map((entry) => entry.id);
}
