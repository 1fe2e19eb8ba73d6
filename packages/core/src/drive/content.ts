import { listOfAnyLength } from "@holdfast/db";
import type pg from "pg";
import { createGathering } from "../gathering/index.ts";
import type { Actor } from "./actor.ts";
import type { EntryKind } from "./entry.ts";
import { DriveError, entryNotFound } from "./errors.ts";
import { isUuid } from "./tree.ts";

/** What a download needs to know of a file before its first byte. */
export interface Content {
  entryId: string;
  name: string;
  mediaType: string;
  /** Also the ETag: a version never changes. */
  versionId: string;
  sizeBytes: number;
  modifiedAt: Date;
  /** Where all of it lies, when one chunk holds it. What is longer is read extent by extent. */
  onlyExtent: Extent | undefined;
}

/** Bytes of a version, from `offset` on, that lie in a chunk from `chunkOffset` on. */
export interface Extent {
  offset: number;
  length: number;
  chunkId: Buffer;
  chunkOffset: number;
  chunkLength: number;
  /** Numbers of the nodes that hold the chunk. */
  replicas: number[];
}

/** The current version when `versionId` is undefined. Rejects with `entry.not_found` or `entry.not_a_file`. */
export type FindContent = (actor: Actor, entryId: string, versionId: string | undefined) => Promise<Content>;

interface Wish {
  driveId: string;
  entryId: string;
  versionId: string | undefined;
}

/** An entry that may be seen. `place` is the wish's own. */
type FoundEntry = { place: number; kind: EntryKind } & (FoundFile | { versionId: null });

/** The version that is wished for, and where it lies if one chunk holds all of it. */
type FoundFile = Omit<Content, "onlyExtent"> & (Omit<Extent, "offset" | "length"> | { chunkId: null });

const FOUND_AT_ONCE = 256;

/** One query for all who ask at one moment, and nothing kept: what goes to the trash is refused from then on. */
export function createContentFinder(pool: pg.Pool): FindContent {
  const find = createGathering({ itemsMax: FOUND_AT_ONCE, work: (_, wishes: readonly Wish[]) => findEntries(pool, wishes) });
  return async ({ driveId }, entryId, versionId) => {
    if (!isUuid(entryId) || (versionId !== undefined && !isUuid(versionId))) throw entryNotFound(entryId);
    const entry = await find("", { driveId, entryId, versionId });
    if (entry?.kind === "folder")
      throw new DriveError("entry.not_a_file", "This is a folder. Open it, and download what is inside.", { id: entryId });
    if (entry === undefined || entry.versionId === null) throw entryNotFound(entryId);
    return contentOf(entry);
  };
}

function contentOf(file: FoundFile): Content {
  const { entryId, name, mediaType, versionId, sizeBytes, modifiedAt } = file;
  return { entryId, name, mediaType, versionId, sizeBytes, modifiedAt, onlyExtent: extentOf(file) };
}

function extentOf(file: FoundFile): Extent | undefined {
  if (file.chunkId === null) return undefined;
  const { chunkId, chunkOffset, chunkLength, replicas } = file;
  return { offset: 0, length: file.sizeBytes, chunkId, chunkOffset, chunkLength, replicas };
}

async function findEntries(pool: pg.Pool, wishes: readonly Wish[]): Promise<(FoundEntry | undefined)[]> {
  const { rows } = await pool.query<FoundEntry>({
    name: "drive-content",
    text: CONTENT,
    values: [wishes.map(({ entryId }) => entryId), wishes.map(({ driveId }) => driveId), wishes.map(({ versionId }) => versionId)],
  });
  const found = new Map(rows.map((row) => [row.place, row]));
  return wishes.map((_, index) => found.get(index + 1));
}

const LISTS = ["$1::uuid[]", "$2::uuid[]", "$3::uuid[]"].map(listOfAnyLength).join(", ");
const CONTENT = `
  SELECT wish.place, e.kind, e.id AS "entryId", e.name, e.media_type AS "mediaType", v.id AS "versionId", v.size_bytes AS "sizeBytes",
         CASE WHEN v.id = e.current_version_id THEN e.modified_at ELSE v.created_at END AS "modifiedAt",
         x.chunk_id AS "chunkId", x.chunk_offset AS "chunkOffset", x.chunk_length AS "chunkLength", x.replicas
    FROM unnest(${LISTS}) WITH ORDINALITY AS wish (entry_id, drive_id, version_id, place)
   CROSS JOIN LATERAL (SELECT * FROM entry WHERE id = wish.entry_id LIMIT 1) AS e
    LEFT JOIN LATERAL (
      SELECT * FROM version WHERE id = coalesce(wish.version_id, e.current_version_id) LIMIT 1
    ) AS v ON v.entry_id = e.id AND v.state = 'committed'
    LEFT JOIN LATERAL (
      SELECT whole.chunk_id, whole.chunk_offset, c.length AS chunk_length, c.replicas
        FROM (SELECT * FROM extent WHERE version_id = v.id AND "offset" = 0 AND length = v.size_bytes LIMIT 1) AS whole
       CROSS JOIN LATERAL (SELECT * FROM chunk WHERE id = whole.chunk_id LIMIT 1) AS c
    ) AS x ON true
   WHERE e.drive_id = wish.drive_id AND NOT EXISTS (
     WITH RECURSIVE up AS (
       SELECT e.parent_id, e.trashed_at
       UNION ALL
       SELECT above.parent_id, above.trashed_at
         FROM up CROSS JOIN LATERAL (SELECT * FROM entry WHERE id = up.parent_id LIMIT 1) AS above
     )
     SELECT FROM up WHERE trashed_at IS NOT NULL)`;
