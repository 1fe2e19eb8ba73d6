/**
 * Where the files of an upload come from: a chooser, or things dropped on the page.
 *
 * Some browsers give a *handle* with what is dropped. It survives a reload, so that an upload can go on without choosing
 * its file again; a dropped folder has one handle for all that is in it.
 */
export interface FileSource {
  file: File;
  /** Folders above the file, below the target: "photos/2024", or empty. */
  folders: string;
  origin?: FileOrigin;
}

/** Everything that was dropped. */
export interface Dropped {
  sources: FileSource[];
  /** Paths of folders with nothing in them, "photos/2025": no file will bring them along. */
  emptyFolders: string[];
}

export interface FileOrigin {
  handle: FileSystemHandle;
  /** Names from the handle down to the file; empty when the handle is the file itself. */
  path: readonly string[];
}

type DroppedItem = DataTransferItem & { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> };

/** From a file chooser; one for folders gives each file its path. */
export function chosenSources(files: Iterable<File>): FileSource[] {
  return Array.from(files, (file) => ({ file, folders: file.webkitRelativePath.split("/").slice(0, -1).join("/") }));
}

/**
 * Everything dropped, with folders walked to their last file. The browser forgets what was dropped when the event ends:
 * call this at once, before anything is awaited.
 */
export async function readDropped(items: DataTransferItemList): Promise<Dropped> {
  const taken = Array.from(items as Iterable<DroppedItem>)
    .filter((item) => item.kind === "file")
    .map((item) => ({
      handle: item.getAsFileSystemHandle?.().catch(() => null),
      entry: item.webkitGetAsEntry(),
      file: item.getAsFile(),
    }));

  const dropped: Dropped = { sources: [], emptyFolders: [] };
  const keep = async (found: AsyncGenerator<Found>): Promise<void> => {
    for await (const one of found) {
      if ("emptyFolder" in one) dropped.emptyFolders.push(one.emptyFolder);
      else dropped.sources.push(one);
    }
  };
  for (const { handle: pending, entry, file } of taken) {
    const handle = await pending;
    if (handle) await keep(walkHandle(handle, handle, []));
    else if (entry) await keep(walkEntry(entry, ""));
    else if (file) dropped.sources.push({ file, folders: "" });
  }
  return dropped;
}

type Found = FileSource | { emptyFolder: string };

async function* walkHandle(top: FileSystemHandle, handle: FileSystemHandle, path: readonly string[]): AsyncGenerator<Found> {
  if (isFile(handle)) {
    const folders = path.length === 0 ? "" : [top.name, ...path.slice(0, -1)].join("/");
    yield { file: await handle.getFile(), folders, origin: { handle: top, path } };
    return;
  }
  let isEmpty = true;
  for await (const child of (handle as FileSystemDirectoryHandle).values()) {
    isEmpty = false;
    yield* walkHandle(top, child, [...path, child.name]);
  }
  if (isEmpty) yield { emptyFolder: [top.name, ...path].join("/") };
}

async function* walkEntry(entry: FileSystemEntry, folders: string): AsyncGenerator<Found> {
  if (entry.isFile) {
    yield { file: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)), folders };
    return;
  }
  const inside = folders === "" ? entry.name : `${folders}/${entry.name}`;
  let isEmpty = true;
  for await (const child of children(entry as FileSystemDirectoryEntry)) {
    isEmpty = false;
    yield* walkEntry(child, inside);
  }
  if (isEmpty) yield { emptyFolder: inside };
}

/** The browser hands out a folder's entries in portions, until an empty one. */
async function* children(folder: FileSystemDirectoryEntry): AsyncGenerator<FileSystemEntry> {
  const reader = folder.createReader();
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return;
    yield* portion;
  }
}

/**
 * The file behind a handle kept from before a reload. The browser may ask the person, so call this from a click.
 * Undefined when it was not allowed or the file is gone.
 */
export async function reopen({ handle, path }: FileOrigin): Promise<File | undefined> {
  try {
    if (!(await isAllowed(handle))) return undefined;
    let current = handle;
    for (const [depth, name] of path.entries()) {
      const folder = current as FileSystemDirectoryHandle;
      current = depth === path.length - 1 ? await folder.getFileHandle(name) : await folder.getDirectoryHandle(name);
    }
    return isFile(current) ? await current.getFile() : undefined;
  } catch (error) {
    if (error instanceof DOMException) return undefined; // gone, renamed, or no longer a file
    throw error;
  }
}

type WithPermission = FileSystemHandle & {
  queryPermission?: () => Promise<PermissionState>;
  requestPermission?: () => Promise<PermissionState>;
};

async function isAllowed(handle: WithPermission): Promise<boolean> {
  if ((await handle.queryPermission?.()) !== "prompt") return true;
  return (await handle.requestPermission?.()) === "granted";
}

function isFile(handle: FileSystemHandle): handle is FileSystemFileHandle {
  return handle.kind === "file";
}
