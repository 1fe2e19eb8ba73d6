import { inTransaction } from "@holdfast/db";
import type pg from "pg";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import { recordEvent } from "../events/index.ts";
import type { Logger } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import type { BadCopyReason, ChunkReaderOptions } from "./chunk-reader.ts";

const WORDS: Record<BadCopyReason, string> = { "chunk.corrupt": "was damaged", "chunk.not_found": "is not there" };
const LAST_COPY_LOST = "chunk.last_copy_lost";

/** For whoever reads copies and cannot wait until it is written down that one is bad. */
export function recordBadCopies({ pool, logger }: { pool: pg.Pool; logger: Logger }): ChunkReaderOptions["onBadCopy"] {
  return (id, node, reason) => {
    logger.warn({ chunk: id, node: node.name, reason }, "a copy is bad");
    inTransaction(pool, (tx) => forgetBadCopy(tx, id, node, reason)).catch((error: unknown) =>
      logger.warn({ err: error, chunk: id }, "a bad copy was not recorded"),
    );
  };
}

/**
 * Takes a copy that its own node disowned out of the chunk's replicas, so that nobody counts on it and repair makes another.
 *
 * The last one stays: a row that names no node would hide where to look. However many readers meet it, a copy is reported
 * once, and a last one once an hour.
 */
export async function forgetBadCopy(
  tx: pg.PoolClient,
  id: ChunkId,
  node: Pick<NodeSnapshot, "id" | "name">,
  reason: BadCopyReason,
): Promise<void> {
  const key = chunkIdToBytes(id);
  const { rows } = await tx.query<{ replicas: number[] }>("SELECT replicas FROM chunk WHERE id = $1 FOR UPDATE", [key]);
  const replicas = rows[0]?.replicas ?? [];
  if (!replicas.includes(node.id)) return;
  const isLast = replicas.length === 1;
  if (isLast && (await wasReportedLately(tx, id))) return;

  if (!isLast) await tx.query("UPDATE chunk SET replicas = array_remove(replicas, $2::smallint) WHERE id = $1", [key, node.id]);
  const whatElse = isLast ? "No other copy is known." : "Other copies exist; this one no longer counts.";
  await recordEvent(tx, {
    severity: isLast ? "error" : "warning",
    kind: isLast ? LAST_COPY_LOST : "chunk.copy_lost",
    message: `The copy of chunk ${id.slice(0, 12)}… on ${node.name} ${WORDS[reason]}. ${whatElse}`,
    nodeId: node.id,
    data: { chunk: id, reason },
  });
}

async function wasReportedLately(tx: pg.PoolClient, id: ChunkId): Promise<boolean> {
  const { rowCount } = await tx.query(
    `SELECT FROM event WHERE at > now() - interval '1 hour' AND kind = $1 AND data->>'chunk' = $2 LIMIT 1`,
    [LAST_COPY_LOST, id],
  );
  return rowCount === 1;
}
