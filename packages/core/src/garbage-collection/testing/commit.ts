import { randomUUID } from "node:crypto";
import type { TestDatabase } from "@holdfast/db/testing";
import type { ChunkId } from "../../chunking/index.ts";
import type { StoredCluster } from "../../testing/index.ts";
import { commitChunks, createChunkLookup } from "../../upload/index.ts";

interface WriteOptions {
  /** The nodes that are asked to keep it. */
  on: readonly number[];
  /** What the client sends; what the first node holds, unless given. */
  bytes?: Buffer;
}

export interface SlowUpload {
  commit(): Promise<void>;
}

/** What a gateway does with one chunk of an upload, from the first question to the commit. */
export async function commitChunksOf(database: TestDatabase, cluster: StoredCluster, id: ChunkId, options: WriteOptions): Promise<void> {
  await (await commitChunksOf.begin(database, cluster, id, options)).commit();
}

/** The nodes have answered; the commit is still to come. */
commitChunksOf.begin = async (
  { pool }: TestDatabase,
  cluster: StoredCluster,
  id: ChunkId,
  { on, bytes = cluster.node(1).store.chunks.get(id)! }: WriteOptions,
): Promise<SlowUpload> => {
  const copiesMin = 2;
  const { copies, asOf } = await createChunkLookup(pool, cluster.nodes.membership)(id, copiesMin);
  if (copies === undefined) for (const nodeId of on) await cluster.node(nodeId).client.put(id, bytes);
  const nodeIds = copies === undefined ? on : undefined;
  const { length } = bytes;
  return {
    async commit() {
      const uploadId = randomUUID();
      const versionId = randomUUID();
      await pool.query("INSERT INTO version (id, drive_id) SELECT $1, id FROM drive", [versionId]);
      await pool.query(
        "INSERT INTO upload (id, version_id, drive_id, length, expires_at) SELECT $1, $2, id, $3, now() + interval '1 day' FROM drive",
        [uploadId, versionId, length],
      );
      await commitChunks(pool, { uploadId, offset: 0, copiesMin }, [{ id, length, nodeIds, asOf }]);
    },
  };
};
