/** Back to live: condemned chunks that something refers to all the same. It cannot happen; if it does, nothing may be lost by it. */
import type pg from "pg";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { recordEvent } from "../events/index.ts";

const REVIVED_AT_ONCE = 100;

export interface CondemnedInUse {
  ids: ChunkId[];
  /** The database's time of the question. */
  asOf: Date;
}

/** All of them, in pages: those that cannot be revived stay what they are, and must not hide the others. */
export async function* findCondemnedInUse(pool: pg.Pool): AsyncGenerator<CondemnedInUse> {
  let after = Buffer.alloc(0);
  for (;;) {
    const { rows } = await pool.query<{ id: Buffer; asOf: Date }>({
      name: "garbage-condemned-in-use",
      text: `SELECT id, clock_timestamp() AS "asOf" FROM chunk
              WHERE state = 'condemned' AND (trashing_until IS NULL OR trashing_until < clock_timestamp()) AND id > $1
                AND EXISTS (SELECT FROM extent WHERE extent.chunk_id = chunk.id)
              ORDER BY id LIMIT $2`,
      values: [after, REVIVED_AT_ONCE],
    });
    if (rows.length > 0) yield { ids: rows.map(({ id }) => chunkIdFromBytes(id)), asOf: rows[0]!.asOf };
    if (rows.length < REVIVED_AT_ONCE) return;
    after = Buffer.from(rows.at(-1)!.id);
  }
}

/** `holders` says who holds each chunk whole, as asked for after `asOf`. One that nobody was found to hold stays as it is. Returns how many live again. */
export async function revive(tx: pg.PoolClient, holders: ReadonlyMap<ChunkId, readonly number[]>, asOf: Date): Promise<number> {
  let revived = 0;
  for (const [id, nodeIds] of holders) {
    const { rowCount } = await tx.query(
      `UPDATE chunk SET state = 'live', condemned_at = NULL, replicas = $2
        WHERE id = $1 AND state = 'condemned' AND (trashing_until IS NULL OR trashing_until < $3)`,
      [chunkIdToBytes(id), nodeIds, asOf],
    );
    revived += rowCount ?? 0;
  }
  if (revived > 0) {
    const message = `${revived} chunks were on their way out although files need them. Their copies were read and they count again. This is a fault of Holdfast: please report it.`;
    await recordEvent(tx, { severity: "error", kind: "garbage.revived", message, data: { chunks: revived } });
  }
  return revived;
}
