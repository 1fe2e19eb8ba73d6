/**
 * What this browser is uploading, written down so that a reload, a crash or a closed laptop forgets nothing: in IndexedDB,
 * because the handles of dropped files can be kept nowhere else.
 *
 * Each record belongs to the page that writes it. A page holds a lock with its own name for as long as it lives; records
 * whose page is gone are the interrupted ones.
 */
import type { FileOrigin } from "./sources.ts";
import type { UploadJob } from "./upload.ts";

export interface JournalRecord extends UploadJob {
  /** Whose upload it is: another account on this browser must not see it. */
  userId: string;
  pageId: string;
  origin?: FileOrigin;
}

const DATABASE = "holdfast-uploads";
const STORE = "uploads";

export type Journal = ReturnType<typeof createJournal>;

export function createJournal(pageId: string) {
  let database: Promise<IDBDatabase> | undefined;
  const opened = (): Promise<IDBDatabase> => (database ??= open());

  async function write(change: (store: IDBObjectStore) => void): Promise<void> {
    const transaction = (await opened()).transaction(STORE, "readwrite");
    change(transaction.objectStore(STORE));
    await new Promise<void>((resolve, reject) => {
      transaction.addEventListener("complete", () => resolve());
      transaction.addEventListener("error", () => reject(transaction.error ?? new Error("the journal could not be written")));
    });
  }

  return {
    /** Says that this page lives. Locks exist on secure origins only; without them every other page counts as gone. */
    claim(): void {
      void navigator.locks?.request(lockName(pageId), () => new Promise(() => undefined));
    },

    put: (records: readonly Omit<JournalRecord, "pageId">[]) =>
      write((store) => {
        for (const record of records) store.put({ ...record, pageId });
      }),

    remove: (ids: readonly string[]) =>
      write((store) => {
        for (const id of ids) store.delete(id);
      }),

    setUrl: ({ id, url }: UploadJob) =>
      write((store) => {
        const found = store.get(id) as IDBRequest<JournalRecord | undefined>;
        found.addEventListener("success", () => found.result && store.put({ ...found.result, url }));
      }),

    /** Records of this user; `interrupted` are those whose page is gone. */
    async read(userId: string): Promise<{ interrupted: JournalRecord[]; elsewhere: JournalRecord[] }> {
      const records = await result((await opened()).transaction(STORE).objectStore(STORE).getAll() as IDBRequest<JournalRecord[]>);
      const alive = await livePages();
      const own = records.filter((record) => record.userId === userId && record.pageId !== pageId);
      return {
        interrupted: own.filter((record) => !alive.has(lockName(record.pageId))),
        elsewhere: own.filter((record) => alive.has(lockName(record.pageId))),
      };
    },
  };
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE, { keyPath: "id" }));
  return await result(request);
}

function result<Value>(request: IDBRequest<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("the journal could not be read")));
  });
}

function lockName(pageId: string): string {
  return `holdfast-page-${pageId}`;
}

async function livePages(): Promise<Set<string | undefined>> {
  const locks = await navigator.locks?.query();
  return new Set(locks?.held?.map((lock) => lock.name));
}
