/**
 * Files that come whole with the request that announces them: from the socket to the folder in one go, and those that come
 * at the same moment together.
 *
 * Their bytes become chunks, those of small files together (`packs`). Then one transaction makes version, extent, chunk row and
 * entry of many files of a drive, so that a thousand small files are not a thousand times a dozen questions under one drive's
 * lock. Nobody ever sees a step of it. Such an upload needs no row: it is over, or it never was, and whoever asks after it is told
 * by the version, whose id it has.
 *
 * This is for the plain case alone. Whatever is out of the ordinary (the name is taken, the folder is gone, there is no
 * room, the client falls silent in the middle, copies are being cleaned up) gives the bytes back to the body and leaves the
 * file to the way that all others go, which knows what to say.
 */
import { randomUUIDv7 } from "node:crypto";
import { inOneBreath, inTransaction } from "@holdfast/db";
import type pg from "pg";
import type { ChunkBuffer } from "../byte-budget/index.ts";
import { chunkIdToBytes } from "../chunking/index.ts";
import {
  type Actor,
  COUNT_FILES,
  FITTING_FILES,
  isUuid,
  LIVING_PARENT,
  lockDrive,
  type NewFile,
  openFolders,
  parseEntryName,
  parseRelativePath,
} from "../drive/index.ts";
import { createGathering } from "../gathering/index.ts";
import { isDatabaseUnavailable } from "../http-edge/index.ts";
import { KiB, limits, type Logger } from "../kernel/index.ts";
import { ADD_TO_THE_CHUNK } from "./commit-chunks.ts";
import { parseUploadMetadata } from "./metadata.ts";
import { createPacker, type PackerParts, type StoredContent } from "./packs.ts";
import { holdPolicy, type ReceiverParts } from "./receive.ts";
import { beginCommit, type StoredChunk } from "./store-chunk.ts";
import { BODY_TYPE, type TusRequest } from "./tus-request.ts";
import type { UploadBody } from "./upload-body.ts";

/** Files that one transaction makes at most. */
const TOGETHER_MAX = 256;

/** What was announced stays with the version for good; who announces more has an upload of his own, which is forgotten in time. */
const ANNOUNCED_LENGTH_MAX = 1 * KiB;

export interface WholeFiles {
  /** Undefined when nothing was made and the body is as it was. Rejects with a `ReplicationError` or `upload.bad_metadata`. */
  store(request: TusRequest, body: UploadBody, actor: Actor): Promise<WholeFile | undefined>;
}

export interface WholeFile {
  uploadId: string;
  entryId: string;
  length: number;
  copies: number;
}

interface FileToMake extends NewFile {
  versionId: string;
  entryId: string;
  mediaType: string;
  /** What was announced, as it came. */
  metadata: string;
}

interface StoredFile extends FileToMake, StoredContent {}

export interface WholeFilesOptions {
  /** How long files that are made together wait for the last copies of their chunks. */
  lastCopyMs: number;
  logger: Logger;
}

export function createWholeFiles(parts: ReceiverParts & PackerParts, { lastCopyMs, logger }: WholeFilesOptions): WholeFiles {
  const storeContent = createPacker(parts);
  const make = createGathering({
    itemsMax: TOGETHER_MAX,
    work: async (driveId, files: readonly StoredFile[]) => {
      await settle(files, lastCopyMs);
      try {
        return await makeTogether(parts, driveId, files);
      } catch (error) {
        if (isDatabaseUnavailable(error)) return await findMade(parts.pool, driveId, files);
        logger.warn({ err: error, files: files.length }, "files could not be made together; each is made by itself");
        return files.map(() => false);
      }
    },
  });

  return {
    async store(request, body, actor) {
      const length = wholeLength(request, parts.chunkBytes);
      if (length === undefined || length !== body.leftBytes) return undefined;
      const file = describeFile(request.metadata, actor, length);
      if (!isUuid(file.parentId)) return undefined;
      const buffer = await receiveWhole(parts, body, length);
      if (buffer === undefined) return undefined;
      const { bytes } = buffer;
      const settled = Promise.withResolvers<void>(); // until then the bytes may have to go back
      try {
        const release: ChunkBuffer["release"] = (how) => void settled.promise.then(() => buffer.release(how));
        const content = await storeContent(actor.driveId, { ...buffer, release });
        if (await make(actor.driveId, { ...file, ...content })) {
          const { versionId: uploadId, entryId } = file;
          logger.info({ uploadId, entryId, outcome: "created", sizeBytes: length }, "upload committed");
          return { uploadId, entryId, length, copies: content.chunk.copies };
        }
        body.giveBack(bytes);
        return undefined;
      } finally {
        settled.resolve();
      }
    },
  };
}

/** Undefined unless the request announces a file of one chunk and brings it along. */
function wholeLength({ method, role, checksum, headers, metadata }: TusRequest, chunkBytes: number): number | undefined {
  if (metadata.length > ANNOUNCED_LENGTH_MAX) return undefined;
  if (method !== "POST" || role.kind !== "whole" || checksum !== undefined || headers["content-type"] !== BODY_TYPE) return undefined;
  const length = Number(headers["upload-length"] ?? Infinity);
  return length > 0 && length <= chunkBytes ? length : undefined;
}

function describeFile(metadata: string, actor: Actor, sizeBytes: number): FileToMake {
  const asked = parseUploadMetadata(metadata);
  const name = parseEntryName(asked.filename);
  return {
    versionId: randomUUIDv7(),
    entryId: randomUUIDv7(),
    mediaType: asked.filetype,
    metadata,
    parentId: asked.parentId ?? actor.rootId,
    folders: parseRelativePath(asked.relativePath, name),
    name,
    sizeBytes,
  };
}

/**
 * Undefined when the body does not come whole; what came of it is the next to be had from it. That takes memory which nobody
 * counts, so whoever would have to wait for a buffer does so on the other way, with one piece in his hands.
 */
async function receiveWhole({ buffers }: ReceiverParts, body: UploadBody, length: number): Promise<ChunkBuffer | undefined> {
  if (!(await body.arrives())) return undefined;
  const buffer = buffers.tryAcquire(length);
  if (buffer === undefined) return undefined;
  const filled = await body.fill(buffer.bytes, holdPolicy(buffers));
  if (filled === length) return buffer;
  body.giveBack(buffer.bytes.subarray(0, filled));
  buffer.release();
  return undefined;
}

/** Says of each file whether it was made. */
async function makeTogether(
  { pool, replicator, lateReplicas }: ReceiverParts,
  driveId: string,
  files: readonly StoredFile[],
): Promise<boolean[]> {
  const chunks = chunksOf(files);
  const committed = new Map(chunks.map((chunk) => [chunk, beginCommit(chunk, lateReplicas)]));
  const insert = files.some(({ folders }) => folders.length > 0) ? insertBelow : insertAtOnce;
  const versionIds = await insert(pool, driveId, replicator.writeQuorum, files);
  const made = files.map(({ versionId }) => versionIds.has(versionId));
  for (const [chunk, done] of committed) if (files.some((file, index) => made[index] && file.chunk === chunk)) done();
  return made;
}

function chunksOf(files: readonly StoredFile[]): StoredChunk[] {
  return [...new Set(files.map(({ chunk }) => chunk))];
}

/** The last copy of a chunk comes a moment after the others, and a row that knows it is written once. */
async function settle(files: readonly StoredFile[], patienceMs: number): Promise<void> {
  const enough = Promise.withResolvers<void>();
  const patience = setTimeout(enough.resolve, patienceMs);
  await Promise.race([Promise.all(chunksOf(files).map((chunk) => chunk.settled)), enough.promise]);
  clearTimeout(patience);
}

/** Returns the versions of those that were made; of the others nothing is left. */
type MakeFiles = (pool: pg.Pool, driveId: string, copiesMin: number, files: readonly StoredFile[]) => Promise<Set<string>>;

/** Into folders that are there. The drive is locked for as long as the database needs, and for no answer that is on its way. */
const insertAtOnce: MakeFiles = (pool, driveId, copiesMin, files) => {
  const placed = files.map((file) => ({ ...file, folderId: file.parentId }));
  return inOneBreath(pool, async (tx) => {
    const [, versionIds] = await Promise.all([lockDrive(tx, driveId), insertFiles(tx, driveId, copiesMin, placed)]);
    return versionIds;
  });
};

/** Into folders that may have to be made first. */
const insertBelow: MakeFiles = (pool, driveId, copiesMin, files) =>
  inTransaction(pool, async (tx) => {
    const folderIds = await openFolders(tx, driveId, files);
    const placed = files.flatMap((file, index) => (folderIds[index] === undefined ? [] : [{ ...file, folderId: folderIds[index] }]));
    return await insertFiles(tx, driveId, copiesMin, placed);
  });

/**
 * When the connection broke, the commit may have been on its way already. Whoever was at work has ended once the drive can be
 * locked: what he made is there, and what is not will never be. Rejects while the database cannot say.
 */
async function findMade(pool: pg.Pool, driveId: string, files: readonly StoredFile[]): Promise<boolean[]> {
  const rows = await inOneBreath(pool, async (tx) => {
    const ids = files.map(({ versionId }) => versionId);
    const [, found] = await Promise.all([
      lockDrive(tx, driveId),
      tx.query<{ id: string }>("SELECT id FROM version WHERE id = ANY ($1::uuid[])", [ids]),
    ]);
    return found.rows;
  });
  const made = new Set(rows.map(({ id }) => id));
  return files.map(({ versionId }) => made.has(versionId));
}

type PlacedFile = StoredFile & { folderId: string };

async function insertFiles(tx: pg.PoolClient, driveId: string, copiesMin: number, files: readonly PlacedFile[]): Promise<Set<string>> {
  const chunks = chunksOf(files);
  const { rows } = await tx.query<{ versionId: string }>({
    name: "upload-insert-files",
    text: INSERT_FILES,
    values: [
      driveId,
      copiesMin,
      limits.chunkProofMs,
      files.map(({ versionId }) => versionId),
      files.map(({ entryId }) => entryId),
      files.map(({ folderId }) => folderId),
      files.map(({ name }) => name),
      files.map(({ mediaType }) => mediaType),
      files.map(({ metadata }) => metadata),
      files.map(({ sizeBytes }) => sizeBytes),
      files.map(({ chunk }) => chunks.indexOf(chunk) + 1),
      files.map(({ chunkOffset }) => chunkOffset),
      chunks.map(({ id }) => chunkIdToBytes(id)),
      chunks.map(({ length }) => length),
      chunks.map(({ nodeIds }) => nodeIds && `{${nodeIds.join(",")}}`),
      chunks.map(({ asOf }) => asOf),
    ],
  });
  return new Set(rows.map(({ versionId }) => versionId));
}

/**
 * The rules for chunks are those of `COMMIT_CHUNKS`, but that each file stands for itself. Entries come first: whether a name
 * is free shows when it is taken, and asking beforehand would be one question more.
 */
const INSERT_FILES = `
  WITH RECURSIVE file AS (
    SELECT * FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[], $10::int[], $11::bigint[], $12::int[])
      WITH ORDINALITY AS given (version_id, entry_id, folder_id, name, media_type, metadata, length, chunk_place, chunk_offset, place)
  ), ${FITTING_FILES}, brought AS (
    SELECT * FROM unnest($13::bytea[], $14::int[], $15::text[], $16::timestamptz[]) WITH ORDINALITY
      AS given (chunk_id, chunk_length, replicas, as_of, chunk_place)
  ), locked AS MATERIALIZED (
    SELECT id, state, cardinality(replicas) AS copies, trashing_until FROM chunk WHERE id = ANY ($13::bytea[]) ORDER BY id FOR KEY SHARE
  ), proven AS MATERIALIZED (
    SELECT brought.* FROM brought LEFT JOIN locked ON locked.id = chunk_id
     WHERE CASE WHEN replicas IS NULL THEN locked.state = 'live' AND locked.copies >= $2
                ELSE (locked.trashing_until IS NULL OR locked.trashing_until < as_of)
                     AND as_of >= clock_timestamp() - $3::bigint * interval '1 millisecond' END
  ), placed AS (
    INSERT INTO entry (id, drive_id, parent_id, kind, name, size_bytes, media_type, current_version_id)
    SELECT entry_id, $1, folder_id, 'file', name, length, media_type, version_id FROM fitting JOIN proven USING (chunk_place)
    ON CONFLICT ((${LIVING_PARENT}), name) WHERE (${LIVING_PARENT}) IS NOT NULL DO NOTHING
    RETURNING id
  ), made AS MATERIALIZED (
    SELECT fitting.*, chunk_id FROM fitting JOIN proven USING (chunk_place) JOIN placed ON placed.id = entry_id
  ), ${COUNT_FILES}, stored AS (
    INSERT INTO chunk (id, length, replicas, created_at)
    SELECT DISTINCT ON (chunk_id) chunk_id, chunk_length, replicas::smallint[], as_of
      FROM proven WHERE replicas IS NOT NULL AND chunk_place IN (SELECT chunk_place FROM made) ORDER BY chunk_id, as_of
    ${ADD_TO_THE_CHUNK}
  ), written AS (
    INSERT INTO version (id, drive_id, entry_id, state, size_bytes, announced)
    SELECT version_id, $1, entry_id, 'committed', length, metadata FROM made
  ), appended AS (
    INSERT INTO extent (version_id, "offset", length, chunk_id, chunk_offset) SELECT version_id, 0, length, chunk_id, chunk_offset FROM made
  )
  SELECT version_id AS "versionId" FROM made`;
