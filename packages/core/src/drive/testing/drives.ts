/** For this folder's tests: people with drives, files without bytes, and the truth to compare with. */
import { randomUUIDv7 } from "node:crypto";
import { inTransaction } from "@holdfast/db";
import type { TestDatabase } from "@holdfast/db/testing";
import type pg from "pg";
import { type Actor, ensureDrive, type PlacedVersion, placeVersion, type VersionToPlace } from "../index.ts";

export async function createActor({ pool }: Pick<TestDatabase, "pool">): Promise<Actor> {
  const userId = randomUUIDv7();
  await pool.query(`INSERT INTO "user" (id, name, email) VALUES ($1, 'Test', $1)`, [userId]);
  return { userId, role: "user", ...(await ensureDrive(pool, userId)) };
}

/** As the end of an upload does it. */
export async function upload(pool: pg.Pool, actor: Actor, file: Partial<VersionToPlace> = {}): Promise<PlacedVersion> {
  const versionId = file.versionId ?? (await receiveVersion(pool, actor));
  const defaults = {
    parentId: actor.rootId,
    relativePath: "",
    name: "file.txt",
    mediaType: "text/plain",
    sizeBytes: 10,
    conflict: "keep-both",
  };
  return await inTransaction(pool, (tx) => placeVersion(tx, { ...defaults, ...file, driveId: actor.driveId, versionId } as VersionToPlace));
}

export async function receiveVersion(pool: pg.Pool, { driveId }: Actor): Promise<string> {
  const id = randomUUIDv7();
  await pool.query("INSERT INTO version (id, drive_id) VALUES ($1, $2)", [id, driveId]);
  return id;
}

export interface Discrepancy {
  what: string;
  stored: number;
  counted: number;
}

/** Everything that is kept by adding, compared with a full scan; and what the tree promises. Empty when all is well. */
export async function findDiscrepancies(pool: pg.Pool): Promise<Discrepancy[]> {
  const { rows } = await pool.query<Discrepancy>(
    `WITH RECURSIVE below AS (
       SELECT f.id AS folder, f.id, 0::bigint AS bytes, 0 AS depth FROM entry f WHERE f.kind = 'folder'
       UNION ALL
       SELECT below.folder, e.id, CASE e.kind WHEN 'file' THEN v.size_bytes ELSE 0 END, depth + 1 FROM below
       JOIN entry e ON e.parent_id = below.id AND e.trashed_at IS NULL LEFT JOIN version v ON v.id = e.current_version_id
       WHERE depth < 1000 -- a cycle is to be reported, not followed forever
     ), counted AS (SELECT folder, sum(bytes)::bigint AS bytes FROM below GROUP BY folder)
     SELECT 'folder ' || e.name AS what, e.size_bytes AS stored, c.bytes AS counted
       FROM entry e JOIN counted c ON c.folder = e.id WHERE e.size_bytes <> c.bytes
     UNION ALL SELECT 'file ' || e.name, e.size_bytes, v.size_bytes
       FROM entry e JOIN version v ON v.id = e.current_version_id WHERE e.size_bytes <> v.size_bytes
     UNION ALL SELECT 'file without a version ' || e.name, 0, 1 FROM entry e WHERE e.kind = 'file' AND e.current_version_id IS NULL
     UNION ALL SELECT 'drive ' || d.id, d.used_bytes, coalesce(sum(v.size_bytes), 0)::bigint
       FROM drive d LEFT JOIN version v ON v.drive_id = d.id AND v.state = 'committed' GROUP BY d.id
       HAVING d.used_bytes <> coalesce(sum(v.size_bytes), 0)
     UNION ALL SELECT 'cut off from the root', 0, count(*) FROM entry e WHERE NOT EXISTS (
       WITH RECURSIVE up AS (SELECT e.id, e.parent_id UNION SELECT p.id, p.parent_id FROM up JOIN entry p ON p.id = up.parent_id)
       SELECT FROM up WHERE parent_id IS NULL) HAVING count(*) > 0`,
  );
  return rows;
}
