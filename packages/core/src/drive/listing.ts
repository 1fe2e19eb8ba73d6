/**
 * What is in a folder, a page at a time.
 *
 * Pages continue from the last row seen (keyset), so the thousandth costs what the first does and nothing is skipped or
 * shown twice while others change the folder. Folders come first in either direction, which no single index order gives:
 * a page is read from the folders, and topped up from the files where the folders end. Each of the two reads is one run of
 * the index of its sort.
 */
import { z } from "zod";
import type { Actor } from "./actor.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { type EntryKind, type EntryRow, type Queryable } from "./entry.ts";
import { DriveError } from "./errors.ts";
import { requireFolderPath } from "./tree.ts";

export type EntrySort = "name" | "modified" | "size";
export type SortDirection = "asc" | "desc";

export interface ListingRequest {
  parentId: string;
  sort: EntrySort;
  direction: SortDirection;
  /** From the page before; absent for the first. */
  cursor?: string;
  /** Rows, at most `limits.listPageMax`. */
  limit: number;
}

export interface EntryPage {
  items: EntryRow[];
  /** Absent on the last page. */
  nextCursor?: string;
}

/** Where a page ended. */
interface Place {
  sort: EntrySort;
  direction: SortDirection;
  kind: EntryKind;
  id: string;
  value: string | number;
}

function placeShape(sort: EntrySort, value: z.ZodType<string | number>): z.ZodType<Place> {
  return z.strictObject({
    sort: z.literal(sort),
    direction: z.enum(["asc", "desc"]),
    kind: z.enum(["folder", "file"]),
    id: z.guid(),
    value,
  });
}

/** The column of each sort, exactly as its index has it; the type of a value to continue after; the shape of its cursors. */
const SORTS = {
  name: { column: `e.name COLLATE "natural"`, type: "text", place: placeShape("name", z.string().regex(/^[^\0]*$/)) },
  modified: {
    column: "e.modified_at",
    type: "timestamptz",
    place: placeShape(
      "modified",
      z.iso.datetime().refine((time) => time >= "1970"),
    ),
  },
  size: { column: "e.size_bytes", type: "bigint", place: placeShape("size", z.int().nonnegative()) },
} as const satisfies Record<EntrySort, unknown>;

/** What the entries of a folder do not have in common: the rest need not come with each. */
const COLUMNS = `e.id, e.name, e.size_bytes AS "sizeBytes", e.media_type AS "mediaType", e.modified_at AS "modifiedAt", e.created_at AS "createdAt"`;

type ListedRow = Omit<EntryRow, "parentId" | "kind" | "trashedAt">;

/** Rejects with `entry.not_found`, `entry.not_a_folder` or `cursor.invalid`. */
export async function listEntries(db: Queryable, actor: Actor, request: ListingRequest): Promise<EntryPage> {
  const after = request.cursor === undefined ? undefined : parsePlace(request.cursor, request);
  await requireFolderPath(db, actor, request.parentId);

  const wanted = request.limit + 1; // one more row than asked tells whether a page follows
  const rows = after?.kind === "file" ? [] : await readKind(db, actor, request, "folder", after, wanted);
  if (rows.length < wanted) {
    const afterFile = after?.kind === "file" ? after : undefined;
    rows.push(...(await readKind(db, actor, request, "file", afterFile, wanted - rows.length)));
  }
  const items = rows.slice(0, request.limit);
  return rows.length > items.length ? { items, nextCursor: encodeCursor(placeOf(items.at(-1)!, request)) } : { items };
}

async function readKind(
  db: Queryable,
  actor: Actor,
  { parentId, sort, direction }: ListingRequest,
  kind: EntryKind,
  after: Place | undefined,
  limit: number,
): Promise<EntryRow[]> {
  const { column, type } = SORTS[sort];
  const order = direction === "asc" ? "ASC" : "DESC";
  const continued = `AND (${column}, e.id) ${direction === "asc" ? ">" : "<"} ($5::${type}, $6::uuid)`;
  // A limit that the planner sees makes it sort the whole folder, page by page, wherever it believes the folder to be small:
  // its statistics are older than what was just uploaded. With one that it cannot see it counts on the first few rows alone,
  // and those the index gives at once.
  const { rows } = await db.query<ListedRow>(
    `SELECT ${COLUMNS} FROM entry e
     WHERE e.parent_id = $1 AND e.drive_id = $2 AND e.kind = $3 AND e.trashed_at IS NULL ${after === undefined ? "" : continued}
     ORDER BY ${column} ${order}, e.id ${order} LIMIT (SELECT $4::int)`,
    [parentId, actor.driveId, kind, limit, ...(after === undefined ? [] : [after.value, after.id])],
  );
  return rows.map(({ id, name, sizeBytes, mediaType, modifiedAt, createdAt }) => {
    return { id, parentId, kind, name, sizeBytes, mediaType, modifiedAt, createdAt, trashedAt: null };
  });
}

function placeOf(row: EntryRow, { sort, direction }: ListingRequest): Place {
  const values = { name: row.name, modified: row.modifiedAt.toISOString(), size: row.sizeBytes };
  return { sort, direction, kind: row.kind, id: row.id, value: values[sort] };
}

function parsePlace(cursor: string, { sort, direction }: ListingRequest): Place {
  const after = decodeCursor(SORTS[sort].place, cursor);
  if (after.direction === direction) return after;
  throw new DriveError("cursor.invalid", "The order of the list has changed. Start from its beginning.");
}
