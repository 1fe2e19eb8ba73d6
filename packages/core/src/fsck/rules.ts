/** What must be true of the database by itself. Each query returns what breaks its rule, as a subject and a clause about it. */
import type { FindingKind } from "./finding.ts";

export interface Rule {
  kind: FindingKind;
  /** Columns `subject` and `message`. */
  query: string;
}

/** Bytes of a version's extents, and whether they follow each other from 0 without a gap. */
const EXTENT_SUMS = `
  SELECT version_id, sum(length) AS bytes, bool_and("offset" = starts) AS is_seamless FROM (
    SELECT version_id, "offset", length,
           coalesce(sum(length) OVER (PARTITION BY version_id ORDER BY "offset" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS starts
      FROM extent
  ) AS run GROUP BY version_id`;

export const RULES: readonly Rule[] = [
  {
    kind: "version.extents",
    query: `
      SELECT version.id AS subject, format('should have %s bytes, and its extents have %s%s', size_bytes, coalesce(bytes, 0),
                                           CASE WHEN is_seamless IS FALSE THEN ' with a gap or an overlap' ELSE '' END) AS message
        FROM version LEFT JOIN (${EXTENT_SUMS}) AS sums ON sums.version_id = version.id
       WHERE state = 'committed' AND (size_bytes <> coalesce(bytes, 0) OR is_seamless IS FALSE)`,
  },
  {
    kind: "upload.offset",
    query: `
      SELECT upload.id AS subject, format('stands at %s, and its extents have %s bytes%s', upload."offset", coalesce(bytes, 0),
                                          CASE WHEN is_seamless IS FALSE THEN ' with a gap or an overlap' ELSE '' END) AS message
        FROM upload LEFT JOIN (${EXTENT_SUMS}) AS sums USING (version_id)
       WHERE state IN ('receiving', 'complete') AND (upload."offset" <> coalesce(bytes, 0) OR is_seamless IS FALSE)`,
  },
  {
    kind: "version.dangling",
    query: `
      SELECT version.id AS subject, 'belongs to no upload and is no file''s' AS message
        FROM version LEFT JOIN upload ON upload.version_id = version.id WHERE version.state = 'receiving' AND upload.id IS NULL`,
  },
  {
    kind: "chunk.row",
    query: `
      SELECT encode(chunk.id, 'hex') AS subject, 'is on its way out although a version needs it' AS message
        FROM chunk WHERE state = 'condemned' AND EXISTS (SELECT FROM extent WHERE chunk_id = chunk.id)
      UNION ALL
      SELECT encode(chunk.id, 'hex'), format('has %s bytes, and an extent of version %s goes to %s', chunk.length, version_id, chunk_offset + extent.length)
        FROM extent JOIN chunk ON chunk.id = chunk_id WHERE chunk_offset + extent.length > chunk.length
      UNION ALL
      SELECT encode(id, 'hex'), 'names a node twice, or one that does not exist'
        FROM chunk WHERE cardinality(replicas) <> (SELECT count(*) FROM node WHERE node.id = ANY (replicas))
      UNION ALL
      SELECT encode(id, 'hex'), 'names no node at all' FROM chunk WHERE state = 'live' AND replicas = '{}'`,
  },
  {
    kind: "entry.size",
    query: `
      SELECT entry.id AS subject, format('is a file of %s bytes, and its current version has %s', entry.size_bytes, version.size_bytes) AS message
        FROM entry LEFT JOIN version ON version.id = current_version_id
       WHERE kind = 'file' AND entry.size_bytes IS DISTINCT FROM version.size_bytes
      UNION ALL
      SELECT folder.id, format('is a folder of %s bytes, and what is in it has %s', folder.size_bytes, coalesce(sum(child.size_bytes), 0))
        FROM entry AS folder LEFT JOIN entry AS child ON child.parent_id = folder.id AND child.trashed_at IS NULL
       WHERE folder.kind = 'folder' GROUP BY folder.id HAVING folder.size_bytes <> coalesce(sum(child.size_bytes), 0)`,
  },
  {
    kind: "entry.tree",
    query: `
      SELECT child.id AS subject, 'lies in what is no folder, or in another drive' AS message
        FROM entry AS child JOIN entry AS parent ON parent.id = child.parent_id WHERE parent.kind <> 'folder' OR parent.drive_id <> child.drive_id
      UNION ALL
      SELECT version.id, 'is the current version of another file' FROM version JOIN entry ON entry.current_version_id = version.id
       WHERE version.entry_id IS DISTINCT FROM entry.id`,
  },
  {
    kind: "drive.used_bytes",
    query: `
      SELECT drive.id AS subject, format('uses %s bytes, and its versions have %s', used_bytes, coalesce(sum(size_bytes), 0)) AS message
        FROM drive LEFT JOIN version ON version.drive_id = drive.id AND version.state = 'committed'
       GROUP BY drive.id HAVING used_bytes <> coalesce(sum(size_bytes), 0)`,
  },
];
