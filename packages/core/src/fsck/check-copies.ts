/** Database and nodes, both ways: what the rows say is on a node, and what is. */
import type pg from "pg";
import { type ChunkStat, type ChunkStore, ChunkStoreError } from "../chunk-store/index.ts";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { type KnownNode, readKnownNodes } from "../garbage-collection/index.ts";
import { compareNode, type RangeDifferences } from "../inventory/index.ts";
import type { NodeAddress } from "../node-client/index.ts";
import type { Findings } from "./finding.ts";

/** Missing copies and unknown chunks that are remembered to be looked at together in the end. */
const REMEMBERED_MAX = 100_000;
const BATCH = 500;

export interface CopyCheck {
  pool: pg.Pool;
  clients: { clientFor(node: NodeAddress): Pick<ChunkStore, "list" | "stat"> };
  findings: Findings;
}

/** Returns what was looked at, and which nodes could not be asked. */
export async function checkCopies(check: CopyCheck): Promise<{ copies: number; nodes: number; unchecked: string[] }> {
  const nodes = (await readKnownNodes(check.pool)).filter(({ intent }) => intent !== "removed");
  const missing = new Map<ChunkId, number[]>();
  const result = { copies: 0, nodes: 0, unchecked: [] as string[] };
  for (const node of nodes) {
    try {
      result.copies += await checkNode(check, node, missing);
      result.nodes++;
    } catch (error) {
      if (!(error instanceof ChunkStoreError)) throw error;
      result.unchecked.push(`${node.name} could not be asked what it holds: ${error.message}`);
    }
  }
  await reportLost(check, missing);
  return result;
}

async function checkNode(check: CopyCheck, node: KnownNode, missing: Map<ChunkId, number[]>): Promise<number> {
  let held = 0;
  const unknown: ChunkStat[] = [];
  for await (const range of compareNode(check.pool, check.clients.clientFor(node), node.id)) {
    held += range.held;
    await reportMissing(check, node, range, missing);
    await reportUnlisted(check, node, range.unlisted);
    if (unknown.length < REMEMBERED_MAX) unknown.push(...range.unknown);
  }
  await reportUnknown(check, node, unknown);
  return held;
}

/** Asked for by name, and whether the row still says so: the cluster lives while it is looked at. */
async function reportMissing(
  { pool, clients, findings }: CopyCheck,
  node: KnownNode,
  range: RangeDifferences,
  missing: Map<ChunkId, number[]>,
): Promise<void> {
  const store = clients.clientFor(node);
  const absent: ChunkId[] = [];
  for (const id of range.missing) if ((await store.stat(id)) === undefined) absent.push(id);
  const rows = await readReplicas(pool, absent);
  for (const id of absent) {
    if (!rows.get(id)?.includes(node.id)) continue;
    findings.add({ kind: "copy.missing", subject: id, message: `should be on ${node.name} and is not`, nodeId: node.id });
    if (missing.size < REMEMBERED_MAX) missing.set(id, [...(missing.get(id) ?? []), node.id]);
  }
}

async function reportUnlisted({ pool, findings }: CopyCheck, node: KnownNode, chunks: readonly ChunkStat[]): Promise<void> {
  const rows = await readReplicas(
    pool,
    chunks.map(({ id }) => id),
  );
  for (const { id } of chunks) {
    if (rows.get(id) === undefined || rows.get(id)!.includes(node.id)) continue;
    findings.add({ kind: "copy.unlisted", subject: id, message: `is on ${node.name}, which its row does not name`, nodeId: node.id });
  }
}

async function reportUnknown({ pool, findings }: CopyCheck, node: KnownNode, chunks: readonly ChunkStat[]): Promise<void> {
  for (let from = 0; from < chunks.length; from += BATCH) {
    const ids = chunks.slice(from, from + BATCH).map(({ id }) => id);
    const known = await readKnown(pool, ids);
    for (const id of ids) {
      if (known.has(id)) continue;
      findings.add({
        kind: "chunk.orphan",
        subject: id,
        message: `is on ${node.name}, and the database does not know it`,
        nodeId: node.id,
      });
    }
  }
}

/** Chunks that every one of their nodes says it does not have. One whose other nodes could not be asked is not called lost. */
async function reportLost({ pool, findings }: CopyCheck, missing: ReadonlyMap<ChunkId, readonly number[]>): Promise<void> {
  const ids = [...missing.keys()];
  for (let from = 0; from < ids.length; from += BATCH) {
    for (const [id, replicas] of await readReplicas(pool, ids.slice(from, from + BATCH))) {
      if (!replicas.every((nodeId) => missing.get(id)!.includes(nodeId))) continue;
      findings.add({ kind: "chunk.lost", subject: id, message: "has no copy on any of the nodes that should have one" });
    }
  }
}

/** Of the live ones. */
async function readReplicas(pool: pg.Pool, ids: readonly ChunkId[]): Promise<Map<ChunkId, number[]>> {
  const { rows } = await pool.query<{ id: Buffer; replicas: number[] }>(
    "SELECT id, replicas FROM chunk WHERE id = ANY ($1::bytea[]) AND state = 'live'",
    [ids.map(chunkIdToBytes)],
  );
  return new Map(rows.map(({ id, replicas }) => [chunkIdFromBytes(id), replicas]));
}

async function readKnown(pool: pg.Pool, ids: readonly ChunkId[]): Promise<Set<ChunkId>> {
  const { rows } = await pool.query<{ id: Buffer }>("SELECT id FROM chunk WHERE id = ANY ($1::bytea[])", [ids.map(chunkIdToBytes)]);
  return new Set(rows.map(({ id }) => chunkIdFromBytes(id)));
}
