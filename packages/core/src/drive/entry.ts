import type pg from "pg";

/** A pool, or one connection that may be inside a transaction. */
export type Queryable = pg.Pool | pg.PoolClient;

export type EntryKind = "folder" | "file";

/** A file or a folder as a list shows it. */
export interface EntryRow {
  id: string;
  /** Null for the root alone. */
  parentId: string | null;
  kind: EntryKind;
  name: string;
  /** Of a folder: everything below it that is not in the trash. */
  sizeBytes: number;
  /** Empty for a folder. */
  mediaType: string;
  /** When the content last changed; renaming and moving leave it. */
  modifiedAt: Date;
  createdAt: Date;
  trashedAt: Date | null;
}

/** The columns of an `EntryRow`, for a query in which the entry's table is called `e`. */
export const ENTRY_COLUMNS = `
  e.id, e.parent_id AS "parentId", e.kind, e.name, e.size_bytes AS "sizeBytes", e.media_type AS "mediaType",
  e.modified_at AS "modifiedAt", e.created_at AS "createdAt", e.trashed_at AS "trashedAt"`;
