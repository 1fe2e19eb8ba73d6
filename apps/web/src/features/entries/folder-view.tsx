"use client";
import { isMissing } from "@holdfast/ui";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { useTRPC } from "../api/trpc.ts";
import { DetailsPanel } from "../details/details-panel.tsx";
import { useDetailsOpen } from "../details/use-details-open.ts";
import { useSignedInAccount } from "../session/use-account.ts";
import { NewMenuItems } from "../shell/new-menu.tsx";
import { usePageTitle } from "../shell/use-page-title.ts";
import { contentPath, type Entry, type FolderRef, folderPath } from "./entry.ts";
import { EntryGrid } from "./entry-grid.tsx";
import { EntryMenuItems } from "./entry-menu-items.tsx";
import { EmptyFolder } from "./empty-folder.tsx";
import { FolderToolbar } from "./folder-toolbar.tsx";
import { ListBody } from "./list-body.tsx";
import type { ActionName } from "./keys.ts";
import { MissingFolder } from "./missing-folder.tsx";
import { MoveDialog } from "./move-dialog.tsx";
import { NewFolderDialog } from "./new-folder-dialog.tsx";
import { ShortcutsDialog } from "./shortcuts-dialog.tsx";
import { useSort } from "./sorting.ts";
import { useFolderEntries } from "./use-entries.ts";
import { useEntryActions } from "./use-entry-actions.ts";
import { useListKeys } from "./use-list-keys.ts";
import { useListSelection } from "./use-list-selection.ts";
import { useRowHandlers } from "./use-row-handlers.ts";

/** An open folder. */
export function FolderView({ folderId }: { folderId: string }) {
  const router = useRouter();
  const { rootId } = useSignedInAccount();
  const folder = useQuery(useTRPC().entries.folder.queryOptions({ id: folderId }));
  const [sort, sortBy] = useSort();
  const list = useFolderEntries(folderId, sort);
  const selection = useListSelection(list.rows);
  const actions = useEntryActions();
  const details = useDetailsOpen();
  const [renamingId, setRenamingId] = useState<string>();
  const [moving, setMoving] = useState<readonly Entry[]>([]);
  const [dialog, setDialog] = useState<"new-folder" | "shortcuts">();
  usePageTitle(folderId === rootId ? "My Drive" : folder.data?.name);

  const open = (entry: Entry): void => {
    if (entry.kind === "folder") router.push(folderPath(entry.id, rootId));
    else window.open(contentPath(entry.id, { download: false }), "_blank", "noopener");
  };
  const moveInto = (target: FolderRef, entries: readonly Entry[]): void => actions.moveTo(entries, target);
  const goUp = (): void => {
    const above = folder.data?.path.at(-2);
    if (above) router.push(folderPath(above.id, rootId));
  };
  const rowHandlers = useRowHandlers(selection, {
    onOpen: open,
    onRenamed: (entry, name) => {
      setRenamingId(undefined);
      if (name !== undefined) actions.rename(entry, name);
    },
    onDropInto: moveInto,
  });

  const does: Record<ActionName, () => void> = {
    open: () => selection.active && open(selection.active),
    rename: () => setRenamingId(selection.active?.id),
    trash: () => actions.trash(selection.targets),
    parent: goUp,
    details: details.toggle,
    help: () => setDialog("shortcuts"),
  };
  useListKeys({ selection, loadAll: list.loadAll, onAction: (action) => does[action]() });

  if (isMissing(folder.error) || isMissing(list.error)) return <MissingFolder />;

  const selected = selection.entries;
  const menu =
    selected.length > 0 ? (
      <EntryMenuItems
        entries={selected}
        onOpen={open}
        onRename={(entry) => setRenamingId(entry.id)}
        onMove={() => setMoving(selected)}
        onTrash={() => actions.trash(selected)}
        onDetails={details.show}
      />
    ) : (
      <NewMenuItems onNewFolder={() => setDialog("new-folder")} />
    );

  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <FolderToolbar
          path={folder.data?.path ?? []}
          selected={selected}
          onDropInto={moveInto}
          onMove={() => setMoving(selected)}
          onTrash={() => actions.trash(selected)}
          onClear={selection.clear}
        />
        <ListBody list={list} empty={<EmptyFolder menu={menu} />}>
          <EntryGrid
            label={folder.data?.name ?? "Folder"}
            selection={selection}
            hasMore={list.hasMore}
            loadMore={list.loadMore}
            dateLabel="Modified"
            dateOf={(entry) => entry.modifiedAt}
            sort={sort}
            onSort={sortBy}
            menu={menu}
            rowHandlers={rowHandlers}
            renamingId={renamingId}
          />
        </ListBody>
      </div>
      {details.open && (
        <DetailsPanel
          entry={selected.length > 1 ? undefined : selection.targets[0]}
          folderId={folderId}
          count={selected.length}
          onClose={details.toggle}
        />
      )}
      <MoveDialog
        entries={moving}
        from={folderId}
        onClose={() => setMoving([])}
        onMove={(target) => {
          actions.moveTo(moving, target);
          setMoving([]);
        }}
      />
      <NewFolderDialog parentId={folderId} open={dialog === "new-folder"} onClose={() => setDialog(undefined)} />
      <ShortcutsDialog open={dialog === "shortcuts"} onClose={() => setDialog(undefined)} />
    </div>
  );
}
