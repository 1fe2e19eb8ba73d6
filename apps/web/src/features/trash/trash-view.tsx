"use client";
import { Button, cn, EmptyState, IconButton, MenuItem, MenuSeparator } from "@holdfast/ui";
import { Trash2, Undo2 } from "lucide-react";
import { useState } from "react";
import type { Entry } from "../entries/entry.ts";
import { EntryGrid } from "../entries/entry-grid.tsx";
import { ListBody } from "../entries/list-body.tsx";
import { SelectionBar } from "../entries/selection-bar.tsx";
import { ShortcutsDialog } from "../entries/shortcuts-dialog.tsx";
import { useTrashedEntries } from "../entries/use-entries.ts";
import { useEntryActions } from "../entries/use-entry-actions.ts";
import { useListKeys } from "../entries/use-list-keys.ts";
import { useListSelection } from "../entries/use-list-selection.ts";
import { useRowHandlers } from "../entries/use-row-handlers.ts";
import { useSignedInAccount } from "../session/use-account.ts";
import { ForeverDialog } from "./forever-dialog.tsx";

/** What was trashed: put it back, or let it go for good. */
export function TrashView() {
  const list = useTrashedEntries();
  const selection = useListSelection(list.rows);
  const actions = useEntryActions();
  const fate = fateAfter(useSignedInAccount().trashKeepDays);
  const [asking, setAsking] = useState<readonly Entry[] | "everything">();
  const [help, setHelp] = useState(false);

  useListKeys({
    selection,
    loadAll: list.loadAll,
    onAction: (action) => {
      if (action === "trash" && selection.targets.length > 0) setAsking(selection.targets);
      if (action === "help") setHelp(true);
    },
  });
  const nothing = (): void => undefined; // what is in the trash is neither opened nor renamed
  const rowHandlers = useRowHandlers(selection, { onOpen: nothing, onRenamed: nothing });
  const selected = selection.entries;

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-13 shrink-0 items-center gap-2 border-b px-4">
        <h1 className={cn("text-lg font-semibold", selected.length > 0 && "max-sm:sr-only")}>Trash</h1>
        <p className={cn("mr-auto truncate text-sm text-ink-muted", selected.length > 0 && "max-sm:sr-only")}>{fate}</p>
        {selected.length > 0 ? (
          <SelectionBar count={selected.length} onClear={selection.clear}>
            <IconButton label="Restore" size="sm" onClick={() => actions.restore(selected)}>
              <Undo2 />
            </IconButton>
            <IconButton label="Delete forever" shortcut="Del" size="sm" onClick={() => setAsking(selected)}>
              <Trash2 />
            </IconButton>
          </SelectionBar>
        ) : (
          <Button size="sm" disabled={!list.rows?.length} onClick={() => setAsking("everything")}>
            Empty the trash
          </Button>
        )}
      </div>
      <ListBody list={list} empty={<EmptyTrash fate={fate} />}>
        <EntryGrid
          label="Trash"
          selection={selection}
          hasMore={list.hasMore}
          loadMore={list.loadMore}
          dateLabel="Trashed"
          dateOf={(entry) => entry.trashedAt ?? entry.modifiedAt}
          rowHandlers={rowHandlers}
          menu={
            selected.length > 0 ? (
              <>
                <MenuItem icon={<Undo2 />} onClick={() => actions.restore(selected)}>
                  Restore
                </MenuItem>
                <MenuSeparator />
                <MenuItem danger icon={<Trash2 />} shortcut="Del" onClick={() => setAsking(selected)}>
                  Delete forever
                </MenuItem>
              </>
            ) : (
              <MenuItem danger icon={<Trash2 />} onClick={() => setAsking("everything")}>
                Empty the trash
              </MenuItem>
            )
          }
        />
      </ListBody>
      <ForeverDialog
        asking={asking}
        onClose={() => setAsking(undefined)}
        onConfirm={(what) => {
          setAsking(undefined);
          if (what === "everything") actions.emptyTrash();
          else actions.deleteForever(what);
        }}
      />
      <ShortcutsDialog open={help} onClose={() => setHelp(false)} />
    </div>
  );
}

function EmptyTrash({ fate }: { fate: string }) {
  return (
    <EmptyState icon={<Trash2 />} title="The trash is empty" className="flex-1">
      What you delete waits here. {fate}
    </EmptyState>
  );
}

/** What becomes of what stays in the trash. */
function fateAfter(days: number): string {
  if (days === 0) return "Nothing is deleted forever until you say so.";
  return `Deleted forever after ${days === 1 ? "a day" : `${days} days`}.`;
}
