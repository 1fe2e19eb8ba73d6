/** What keeps a simulated fault from touching the last good copy of anything. */
import type pg from "pg";
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "../chunking/index.ts";
import { chunksCounted, chunksHave } from "../wording/index.ts";
import { SimulationError } from "./errors.ts";
import type { Reach } from "./reach.ts";

/** A damaged chunk must leave this many: one may be lost for real while it is damaged. */
const OTHER_COPIES_MIN = 2;
const VERIFIED_AT_ONCE = 8;
/** How many chunks are looked at, for each one that is wanted, before it is said that there are not enough. */
const LOOKED_AT_FOR_EACH = 4;

interface Target {
  id: number;
  name: string;
}

/** `verify` is asked of a node by its number; it rejects unless the copy there is whole. */
export type VerifyCopy = (nodeId: number, id: ChunkId) => Promise<unknown>;

/** Rejects with `simulation.last_copy` when some live chunk could not be read any more without the node. */
export async function requireReadableWithout(pool: pg.Pool, node: Target, others: Reach): Promise<void> {
  const chunks = (await countHeldByNoneOf(pool, node, others.nodeIds)) + (await countDamagedElsewhere(pool, node, others));
  if (chunks === 0) return;
  throw new SimulationError(
    "simulation.last_copy",
    `${node.name} holds the only copy of ${chunksCounted(chunks)} within reach, so it stays as it is. Bring other nodes back, or wait until the copies are repaired.`,
    { chunks },
  );
}

/**
 * As many chunks of the node as are wanted, each proven by reading it: whole there, and whole on enough other nodes. Rejects
 * with `simulation.last_copy` when there are fewer.
 */
export async function chunksSafeToDamage(
  pool: pg.Pool,
  node: Target,
  others: Reach,
  wanted: number,
  verify: VerifyCopy,
): Promise<ChunkId[]> {
  const candidates = await damageCandidates(pool, node, others, wanted * LOOKED_AT_FOR_EACH);
  const safe: ChunkId[] = [];
  for (let next = 0; next < candidates.length && safe.length < wanted; next += VERIFIED_AT_ONCE) {
    const some = candidates.slice(next, next + VERIFIED_AT_ONCE);
    const proofs = await Promise.all(some.map((candidate) => isProvenSafe(candidate, node, others, verify)));
    safe.push(...some.filter((_, index) => proofs[index]).map(({ id }) => id));
  }
  if (safe.length >= wanted) return safe.slice(0, wanted);
  throw tooFewToDamage(node, safe.length, wanted);
}

async function countHeldByNoneOf(pool: pg.Pool, node: Target, others: readonly number[]): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    "SELECT count(*) FROM chunk WHERE state = 'live' AND replicas @> ARRAY[$1::smallint] AND NOT replicas && $2::smallint[]",
    [node.id, others],
  );
  return rows[0]!.count;
}

/** Of the chunks that others hold: those whose every other copy is one that we damaged ourselves. */
async function countDamagedElsewhere(pool: pg.Pool, node: Target, { nodeIds, damaged }: Reach): Promise<number> {
  if (damaged.length === 0) return 0;
  const held = await readChunks(pool, "replicas @> ARRAY[$1::smallint] AND replicas && $2::smallint[] AND id = ANY($3)", [
    node.id,
    nodeIds,
    damaged.map(({ id }) => chunkIdToBytes(id)),
  ]);
  return held.filter(({ id, replicas }) => goodHolders(id, replicas, { nodeIds, damaged }).length === 0).length;
}

async function damageCandidates(pool: pg.Pool, node: Target, others: Reach, limit: number): Promise<HeldChunk[]> {
  return await readChunks(
    pool,
    `replicas @> ARRAY[$1::smallint]
      AND (SELECT count(*) FROM unnest(replicas) holder WHERE holder = ANY($2::smallint[])) >= $3 ORDER BY id LIMIT $4`,
    [node.id, others.nodeIds, OTHER_COPIES_MIN, limit],
  );
}

async function isProvenSafe({ id, replicas }: HeldChunk, node: Target, others: Reach, verify: VerifyCopy): Promise<boolean> {
  const proofs = await Promise.all([node.id, ...goodHolders(id, replicas, others)].map((nodeId) => isWhole(nodeId, id, verify)));
  const [here, ...elsewhere] = proofs;
  return here! && elsewhere.filter(Boolean).length >= OTHER_COPIES_MIN;
}

function isWhole(nodeId: number, id: ChunkId, verify: VerifyCopy): Promise<boolean> {
  return verify(nodeId, id).then(
    () => true,
    () => false, // whatever the reason: what could not be proven is not counted
  );
}

function goodHolders(id: ChunkId, replicas: readonly number[], { nodeIds, damaged }: Reach): number[] {
  const isDamaged = (nodeId: number): boolean => damaged.some((copy) => copy.nodeId === nodeId && copy.id === id);
  return replicas.filter((nodeId) => nodeIds.includes(nodeId) && !isDamaged(nodeId));
}

interface HeldChunk {
  id: ChunkId;
  replicas: number[];
}

async function readChunks(pool: pg.Pool, condition: string, parameters: unknown[]): Promise<HeldChunk[]> {
  const { rows } = await pool.query<{ id: Buffer; replicas: number[] }>(
    `SELECT id, replicas FROM chunk WHERE state = 'live' AND ${condition}`,
    parameters,
  );
  return rows.map(({ id, replicas }) => ({ id: chunkIdFromBytes(id), replicas }));
}

function tooFewToDamage({ name }: Target, possible: number, wanted: number): SimulationError {
  const found = possible === 0 ? "no chunk has" : `only ${chunksHave(possible)}`;
  return new SimulationError(
    "simulation.last_copy",
    `On ${name}, ${found} two other good copies within reach, and ${chunksCounted(wanted)} should be damaged. Ask for fewer, bring other nodes back, or wait until the copies are repaired.`,
    { chunks: wanted - possible, possible },
  );
}
