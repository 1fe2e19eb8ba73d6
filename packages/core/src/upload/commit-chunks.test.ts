import { randomBytes } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type ChunkId, chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import { type ChunkToCommit, commitChunks } from "./commit-chunks.ts";
import { createChunkLookup } from "./known-chunks.ts";
import { contentOf, create, type Gateway, metadata, OCTETS, patch, send, startGateway } from "./testing/gateway.ts";

const BYTES = randomBytes(1_000);
const ID = chunkIdOf(BYTES);
const COPIES_GONE = { code: "upload.copies_gone" };

let database: TestDatabase;
let gateway: Gateway;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query("TRUNCATE chunk, extent, version, upload, entry, drive CASCADE");
  gateway = await startGateway(database);
});
afterEach(() => gateway.stop());

async function uploadFile(bytes: Buffer): Promise<{ status: number; entryId: string; error?: string }> {
  const { status, headers, body } = await send(
    "POST",
    gateway.url,
    { ...OCTETS, "upload-length": bytes.length, "upload-metadata": metadata({ filename: "file.bin" }) },
    bytes,
  );
  return { status, entryId: String(headers["holdfast-entry-id"]), error: body.error };
}

/** A file is uploaded and deleted for ever; its chunk is live, and nothing refers to it. */
async function leaveUnreferencedChunk(): Promise<void> {
  const { entryId } = await uploadFile(BYTES);
  await database.pool.query("UPDATE entry SET current_version_id = NULL WHERE id = $1", [entryId]);
  await database.pool.query("DELETE FROM upload");
  await database.pool.query("DELETE FROM entry WHERE id = $1", [entryId]);
  await vi.waitFor(async () => expect((await chunkRow(ID))?.replicas).toEqual([1, 2, 3])); // the third copy is written down a little later
}

const condemn = () => database.pool.query("UPDATE chunk SET state = 'condemned', condemned_at = now() WHERE id = $1", [chunkIdToBytes(ID)]);
const lookUp = () => createChunkLookup(database.pool, gateway.nodes.membership)(ID, 2);
const newUpload = async (): Promise<string> => (await create(gateway, BYTES.length)).split("/").at(-1)!;
const commit = (uploadId: string, chunk: Pick<ChunkToCommit, "nodeIds" | "asOf">) =>
  commitChunks(database.pool, { uploadId, offset: 0, copiesMin: 2 }, [{ id: ID, length: BYTES.length, ...chunk }]);

const waitingForLocks = async (): Promise<number> =>
  (await database.pool.query("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")).rowCount!;

async function chunkRow(id: ChunkId): Promise<{ state: string; replicas: number[]; references: number } | undefined> {
  const { rows } = await database.pool.query<{ state: string; replicas: number[]; references: number }>(
    `SELECT state, ARRAY(SELECT unnest(replicas) ORDER BY 1) AS replicas, (SELECT count(*) FROM extent WHERE chunk_id = chunk.id) AS references
       FROM chunk WHERE id = $1`,
    [chunkIdToBytes(id)],
  );
  return rows[0];
}

test("a chunk is condemned after an upload found it known: the upload does not refer to it", async () => {
  await leaveUnreferencedChunk();
  const uploadId = await newUpload();
  const { copies, asOf } = await lookUp();
  expect(copies).toBe(3);
  await condemn();
  await expect(commit(uploadId, { nodeIds: undefined, asOf })).rejects.toMatchObject(COPIES_GONE);
  expect(await chunkRow(ID)).toMatchObject({ state: "condemned", references: 0 });
  const { rows } = await database.pool.query(`SELECT "offset" FROM upload WHERE id = $1`, [uploadId]);
  expect(rows).toEqual([{ offset: 0 }]);
});

test("the collector holds the row while it condemns the chunk: the upload waits for the verdict", async () => {
  await leaveUnreferencedChunk();
  const uploadId = await newUpload();
  const { asOf } = await lookUp();
  const collector = await database.pool.connect();
  await collector.query("BEGIN");
  await collector.query("SELECT FROM chunk WHERE id = $1 FOR UPDATE", [chunkIdToBytes(ID)]);
  const committing = commit(uploadId, { nodeIds: undefined, asOf });
  committing.catch(() => undefined);
  await vi.waitFor(async () => expect(await waitingForLocks()).toBe(1));
  await collector.query("UPDATE chunk SET state = 'condemned' WHERE id = $1", [chunkIdToBytes(ID)]);
  await collector.query("COMMIT");
  collector.release();
  await expect(committing).rejects.toMatchObject(COPIES_GONE);
});

test("copies of a known chunk are found missing before the commit: too few are left to rely on", async () => {
  await leaveUnreferencedChunk();
  const uploadId = await newUpload();
  const { asOf } = await lookUp();
  await database.pool.query("UPDATE chunk SET replicas = '{1}'");
  await expect(commit(uploadId, { nodeIds: undefined, asOf })).rejects.toMatchObject(COPIES_GONE);
});

test("a condemned chunk is written again: it lives by the copies just proved, and by no former one", async () => {
  await leaveUnreferencedChunk();
  await condemn();
  const { copies, asOf } = await lookUp();
  expect(copies).toBeUndefined();
  await commit(await newUpload(), { nodeIds: [2, 3], asOf });
  expect(await chunkRow(ID)).toEqual({ state: "live", replicas: [2, 3], references: 1 });
});

test("nodes said they had a copy, then carried out an order to trash it: what they said is no proof", async () => {
  await leaveUnreferencedChunk();
  await condemn();
  const { asOf } = await lookUp();
  await database.pool.query("UPDATE chunk SET trashing_until = clock_timestamp()");
  const uploadId = await newUpload();
  await expect(commit(uploadId, { nodeIds: [1, 2, 3], asOf })).rejects.toMatchObject(COPIES_GONE);
  const { asOf: later } = await lookUp();
  await commit(uploadId, { nodeIds: [1, 2, 3], asOf: later });
  expect(await chunkRow(ID)).toMatchObject({ state: "live", references: 1 });
});

test("a surplus copy is given up in the middle of a commit that was promised it: the row does not name it again", async () => {
  await leaveUnreferencedChunk();
  await database.pool.query("UPDATE chunk SET replicas = '{1,2}'"); // the third was found surplus, and is still on its disk
  const { asOf } = await lookUp();
  const uploadId = await newUpload();
  const other = await database.pool.connect();
  await other.query("BEGIN");
  await other.query("SELECT FROM upload WHERE id = $1 FOR UPDATE", [uploadId]);
  const committing = commit(uploadId, { nodeIds: [2, 3], asOf });
  await vi.waitFor(async () => expect(await waitingForLocks()).toBe(1));
  await database.pool.query("UPDATE chunk SET trashing_until = clock_timestamp() + interval '1 minute'");
  await other.query("COMMIT");
  other.release();
  await committing;
  expect(await chunkRow(ID)).toEqual({ state: "live", replicas: [1, 2], references: 1 });
});

test("a copy that waited for its commit longer than trash orders are remembered is no proof", async () => {
  const uploadId = await newUpload();
  const asOf = new Date(Date.now() - limits.chunkProofMs - 1);
  await expect(commit(uploadId, { nodeIds: [1, 2], asOf })).rejects.toMatchObject(COPIES_GONE);
  expect(limits.chunkProofMs).toBeLessThanOrEqual(limits.chunkTombstoneMs / 2);
});

test("a client whose copies went away is told to try again, and the second try makes a whole file", async () => {
  await leaveUnreferencedChunk();
  await condemn();
  await database.pool.query("UPDATE chunk SET trashing_until = clock_timestamp() + interval '1 hour'");
  for (const node of gateway.nodes.all) node.store.chunks.clear();
  const url = await create(gateway, BYTES.length);
  const refused = await patch(url, 0, BYTES);
  expect([refused.status, refused.body.error]).toEqual([503, "upload.copies_gone"]);
  await database.pool.query("UPDATE chunk SET trashing_until = clock_timestamp()");
  const { headers } = await patch(url, 0, BYTES);
  expect((await contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]))).equals(BYTES)).toBe(true);
});

test("another request moved the upload on: that is no matter of copies", async () => {
  const { asOf } = await lookUp();
  const uploadId = await newUpload();
  await database.pool.query(`UPDATE upload SET "offset" = 7 WHERE id = $1`, [uploadId]);
  await expect(commit(uploadId, { nodeIds: [1, 2], asOf })).rejects.toMatchObject({ code: "upload.wrong_offset" });
  expect(await chunkRow(ID)).toBeUndefined();
});
