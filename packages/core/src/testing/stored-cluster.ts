/** Chunk rows and the nodes that hold the chunks, for tests of what compares the two or changes both. */
import { randomBytes, randomUUID } from "node:crypto";
import { inTransaction } from "@holdfast/db";
import type { TestDatabase } from "@holdfast/db/testing";
import { type ChunkId, chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { createLeadership, type Leadership } from "../leadership/index.ts";
import { createTestNodes, type TestNode, type TestNodes } from "./storage-nodes.ts";

const LEASE_MS = 600_000;

export interface ChunkRow {
  state: "live" | "condemned";
  replicas: number[];
  /** Whether answers of nodes from before now do not count. */
  isBeingTrashed: boolean;
}

export interface StoredCluster {
  nodes: TestNodes;
  leadership: Leadership;
  node(id: number): TestNode;
  /** A new chunk on these nodes, with a row that says so, an hour old. A file refers to it, unless told otherwise. */
  keep(options?: KeepOptions): Promise<ChunkId>;
  /** A version that consists of this chunk, or of some of its bytes. Returns its id. */
  refer(id: ChunkId, part?: { chunkOffset: number; length: number }): Promise<string>;
  row(id: ChunkId): Promise<ChunkRow | undefined>;
  /** As if so much time had passed for everything that the chunk rows remember. */
  age(ms: number): Promise<void>;
  /** The nodes that hold it. */
  holders(id: ChunkId): number[];
  stop(): Promise<void>;
}

export interface KeepOptions {
  bytes?: Buffer;
  /** Where the row says it is. */
  replicas?: readonly number[];
  /** Where it is. */
  on?: readonly number[];
  referred?: boolean;
}

/** Empties the database first. */
export async function createStoredCluster({ pool }: TestDatabase, count = 3): Promise<StoredCluster> {
  await pool.query(
    `TRUNCATE node, chunk, extent, version, upload, entry, drive, "user", lease, event, garbage_run RESTART IDENTITY CASCADE`,
  );
  const nodes = createTestNodes(count);
  for (const { snapshot } of nodes.all) {
    await pool.query(
      "INSERT INTO node (id, identity, name, host, port, boot_id, health, health_changed_at) VALUES ($1, $2, $3, $4, $5, $6, 'up', now() - interval '1 day')",
      [snapshot.id, randomUUID(), snapshot.name, snapshot.host, snapshot.port, randomUUID()],
    );
  }
  const driveId = randomUUID();
  await pool.query(`INSERT INTO "user" (id, name, email) VALUES ('person', 'A Person', 'person@example.org')`);
  await pool.query("INSERT INTO drive (id, owner_id) VALUES ($1, 'person')", [driveId]);
  const leadership = createLeadership({ pool, holderName: "test", leaseMs: LEASE_MS, onError: () => undefined });
  await leadership.start();
  const node = (id: number): TestNode => nodes.all[id - 1]!;

  const refer: StoredCluster["refer"] = async (id, part) => {
    const versionId = randomUUID();
    await inTransaction(pool, async (tx) => {
      await tx.query("INSERT INTO version (id, drive_id) VALUES ($1, $2)", [versionId, driveId]);
      await tx.query(
        `INSERT INTO extent (version_id, "offset", length, chunk_id, chunk_offset)
         SELECT $1, 0, coalesce($3, length), id, $4 FROM chunk WHERE id = $2`,
        [versionId, chunkIdToBytes(id), part?.length, part?.chunkOffset ?? 0],
      );
    });
    return versionId;
  };

  return {
    nodes,
    leadership,
    node,
    refer,
    async keep({ bytes = randomBytes(1_000), replicas = [1, 2, 3], on = replicas, referred = true } = {}) {
      const id = chunkIdOf(bytes);
      for (const nodeId of on) await node(nodeId).store.put(id, bytes);
      await pool.query("INSERT INTO chunk (id, length, replicas, created_at) VALUES ($1, $2, $3, now() - interval '1 hour')", [
        chunkIdToBytes(id),
        bytes.length,
        replicas,
      ]);
      if (referred) await refer(id);
      return id;
    },
    async row(id) {
      const { rows } = await pool.query<ChunkRow>(
        `SELECT state, replicas, coalesce(trashing_until > clock_timestamp(), false) AS "isBeingTrashed" FROM chunk WHERE id = $1`,
        [chunkIdToBytes(id)],
      );
      return rows[0];
    },
    async age(ms) {
      await pool.query(
        `UPDATE chunk SET created_at = created_at - delta, condemned_at = condemned_at - delta, trashing_until = trashing_until - delta
           FROM (SELECT $1::bigint * interval '1 millisecond' AS delta) AS passed`,
        [ms],
      );
    },
    holders: (id) => nodes.all.filter(({ store }) => store.chunks.has(id)).map(({ snapshot }) => snapshot.id),
    stop: () => leadership.stop(),
  };
}
