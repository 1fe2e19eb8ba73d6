/**
 * What a change would move, before anybody agrees to it: the same plan that the worker carries out, added up.
 *
 * Streams over the chunk rows and remembers none. Beyond a few hundred thousand it reads that many and multiplies: ids are
 * hashes, so a stretch of them is a fair sample, and the last id read says which share of all it was.
 */
import type pg from "pg";
import type { ChunkId } from "../chunking/index.ts";
import { bytesInWords, chunksCounted, chunksHave, inWords, listed } from "../wording/index.ts";
import { faultOf, isMember, type MoveScope, nodeOf, scopeOf, type TopologyChange, type TopologyView, viewAfter } from "./change.ts";
import { countHeldBy, readChunks, sumHeldBytes } from "./chunk-rows.ts";
import type { ChunkRow } from "./homes.ts";
import { createMovePlanner, type MovePlanner, tooFewNodes } from "./plan.ts";
import { readView, type SettingDefaults } from "./view.ts";

const SAMPLE_CHUNKS = 200_000;
const PAGE_CHUNKS = 5_000;

export interface ChangePreview {
  allowed: boolean;
  /** Why not, and what to do first. */
  refusal?: string;
  /** Copies to make, and those that are only given up. */
  chunksToMove: number;
  bytesToMove: number;
  /** What must move at least between nodes to end as this plan does. */
  minimumBytes: number;
  /** Bytes of live chunks. */
  perNode: { nodeId: number; before: number; after: number }[];
  /** Absent when nothing has been moved lately that would tell. */
  etaSeconds?: number;
  /** True when it was reckoned from a sample. */
  estimated: boolean;
  warnings: string[];
  /** What keeps it from finishing, once begun. */
  blockedBy?: string;
}

export interface PreviewOptions extends SettingDefaults {
  now: Date;
  /** Chunks to read before it reckons with a sample. */
  sampleChunks?: number;
}

export async function previewChange(pool: pg.Pool, change: TopologyChange, options: PreviewOptions): Promise<ChangePreview> {
  const view = await readView(pool, options);
  const fault = faultOf(change, view);
  if (fault !== undefined) return refused(fault);
  const after = viewAfter(view, change, options.now);
  if (change.kind === "remove") return await previewRemoval(pool, change.nodeId, view, after);

  const scope = scopeOf(change, view);
  const tally = scope === undefined ? new Tally() : await tallyMoves(pool, after, scope, options.sampleChunks ?? SAMPLE_CHUNKS);
  const etaSeconds = await estimateSeconds(pool, tally.bytes);
  const blockedBy = hindranceOf(change, after, tally);
  return {
    allowed: true,
    chunksToMove: Math.round(tally.moves),
    bytesToMove: Math.round(tally.bytes),
    minimumBytes: Math.round(tally.inflow()),
    perNode: after.nodes.filter(({ intent }) => intent !== "removed").map(({ id }) => ({ nodeId: id, ...tally.heldBy(id) })),
    ...(etaSeconds !== undefined && { etaSeconds }),
    estimated: tally.estimated,
    warnings: warningsOf(change, view, after, tally),
    ...(blockedBy !== undefined && { blockedBy }),
  };
}

function refused(refusal: string): ChangePreview {
  return { allowed: false, refusal, chunksToMove: 0, bytesToMove: 0, minimumBytes: 0, perNode: [], estimated: false, warnings: [] };
}

/** What is added up. Everything in it is multiplied when only a sample was read. */
class Tally {
  moves = 0;
  bytes = 0;
  stuck = 0;
  hindrance = "";
  estimated = false;
  readonly #before = new Map<number, number>();
  readonly #change = new Map<number, number>();

  add(chunk: ChunkRow, planner: MovePlanner): void {
    for (const id of chunk.replicas) increase(this.#before, id, chunk.length);
    const { moves, blocked } = planner(chunk);
    for (const { to, drop } of moves) {
      this.moves++;
      if (to !== undefined) this.bytes += chunk.length;
      if (to !== undefined) increase(this.#change, to.id, chunk.length);
      if (drop !== undefined) increase(this.#change, drop.id, -chunk.length);
    }
    if (blocked === "") return;
    this.stuck++;
    this.hindrance ||= blocked;
  }

  /** The rows read were this share of all. */
  multiply(share: number): void {
    this.estimated = true;
    for (const sums of [this.#before, this.#change]) for (const [id, bytes] of sums) sums.set(id, bytes / share);
    this.moves /= share;
    this.bytes /= share;
    this.stuck /= share;
  }

  inflow(): number {
    return this.#change.values().reduce((sum, bytes) => sum + Math.max(bytes, 0), 0);
  }

  heldBy(nodeId: number): { before: number; after: number } {
    const before = this.#before.get(nodeId) ?? 0;
    return { before: Math.round(before), after: Math.round(before + (this.#change.get(nodeId) ?? 0)) };
  }
}

function increase(sums: Map<number, number>, key: number, by: number): void {
  sums.set(key, (sums.get(key) ?? 0) + by);
}

async function tallyMoves(pool: pg.Pool, view: TopologyView, scope: MoveScope, sampleChunks: number): Promise<Tally> {
  const heldBytes = view.settings.policy === "least-loaded" ? await sumHeldBytes(pool) : new Map<number, number>();
  const planner = createMovePlanner(view, scope, heldBytes);
  const tally = new Tally();
  let after: ChunkId | undefined;
  for (let read = 0; read < sampleChunks;) {
    const limit = Math.min(PAGE_CHUNKS, sampleChunks - read);
    const page = await readChunks(pool, { after, limit });
    for (const chunk of page) tally.add(chunk, planner);
    if (page.length < limit) return tally;
    read += page.length;
    after = page.at(-1)!.id;
  }
  if (after !== undefined && (await readChunks(pool, { after, limit: 1 })).length > 0) tally.multiply(shareUpTo(after));
  return tally;
}

/** Which share of all possible ids is not greater. */
function shareUpTo(id: ChunkId): number {
  return (Number.parseInt(id.slice(0, 12), 16) + 1) / 2 ** 48;
}

/** By the rate of the last work that moved anything. */
async function estimateSeconds(pool: pg.Pool, bytes: number): Promise<number | undefined> {
  if (bytes === 0) return 0;
  const { rows } = await pool.query<{ rate: number }>(
    `SELECT bytes_per_second AS rate FROM (
       SELECT bytes_per_second, updated_at FROM rebalance UNION ALL SELECT bytes_per_second, updated_at FROM repair
     ) AS work WHERE bytes_per_second > 0 ORDER BY updated_at DESC LIMIT 1`,
  );
  return rows[0] && Math.ceil(bytes / rows[0].rate);
}

function hindranceOf(change: TopologyChange, after: TopologyView, tally: Tally): string | undefined {
  if (tally.moves === 0 && tally.stuck === 0) return undefined;
  const members = after.nodes.filter(isMember);
  if (change.kind === "drain" && members.length < after.settings.replicas) return tooFewNodes(after);
  const free = members.reduce((sum, node) => sum + node.freeBytes, 0);
  if (tally.bytes > free) return `${bytesInWords(tally.bytes)} have to move, and the nodes have ${bytesInWords(free)} free.`;
  if (tally.stuck === 0) return undefined;
  return `${chunksCounted(Math.round(tally.stuck))} cannot move: ${tally.hindrance}`;
}

function warningsOf(change: TopologyChange, view: TopologyView, after: TopologyView, tally: Tally): string[] {
  const { replicas, writeQuorum } = after.settings;
  const node = nodeOf(change, view);
  const members = after.nodes.filter(isMember);
  const takers = after.nodes.filter(({ intent, health, writable }) => intent === "active" && health === "up" && writable).length;
  const away = members.filter(({ id, health }) => health === "down" && id !== node?.id).map(({ name }) => name);
  const full = after.nodes.filter(({ id, capacityBytes, freeBytes }) => {
    const { before, after: then } = tally.heldBy(id);
    return then > before && then - before > freeBytes - capacityBytes / 10;
  });
  const zonesBefore = new Set(view.nodes.filter(isMember).map(({ zone }) => zone)).size;
  const zones = new Set(members.map(({ zone }) => zone)).size;
  const warnings = [
    takers < writeQuorum &&
      `Uploads wait while only ${takers === 1 ? "one node takes" : `${inWords(takers)} nodes take`} chunks: they need ${inWords(writeQuorum)}.`,
    zones < Math.min(zonesBefore, replicas) &&
      `Copies will be spread over ${zones === 1 ? "one zone" : `${inWords(zones)} zones`} instead of ${inWords(zonesBefore)}.`,
    away.length > 0 &&
      `${listed(away)} ${away.length === 1 ? "is" : "are"} down: copies move more slowly, and none is given up before there are enough.`,
    full.length > 0 && `${listed(full.map(({ name }) => name))} will be over nine tenths full.`,
    change.kind === "drain" && node?.health === "down" && `${node.name} is down: its copies are made again from the others.`,
    tally.estimated && "The figures are reckoned from a sample.",
  ];
  return warnings.filter((warning) => warning !== false);
}

/** Exact, however much there is: whether a node may go is no matter of samples. */
async function previewRemoval(pool: pg.Pool, nodeId: number, view: TopologyView, after: TopologyView): Promise<ChangePreview> {
  const refusal = await refusalOfRemoval(pool, nodeId, view);
  if (refusal !== undefined) return refused(refusal);
  const { chunks, bytes } = await countHeldBy(pool, nodeId, []);
  const etaSeconds = await estimateSeconds(pool, bytes);
  const left = after.nodes.filter(isMember).length;
  const node = view.nodes.find(({ id }) => id === nodeId)!;
  return {
    allowed: true,
    chunksToMove: chunks,
    bytesToMove: bytes,
    minimumBytes: bytes,
    perNode: [{ nodeId, before: bytes, after: 0 }],
    ...(etaSeconds !== undefined && { etaSeconds }),
    estimated: false,
    warnings:
      chunks === 0
        ? []
        : [`${node.name} is down. Every chunk it held has another copy on a node that is up; ${chunksHave(chunks)} to be copied again.`],
    ...(chunks > 0 && left < after.settings.replicas && { blockedBy: tooFewNodes(after) }),
  };
}

/** Why removing the node would lose copies; undefined when it would not. Ask it again in the transaction that removes. */
export async function refusalOfRemoval(
  db: Pick<pg.ClientBase, "query">,
  nodeId: number,
  { nodes }: TopologyView,
): Promise<string | undefined> {
  const node = nodes.find(({ id }) => id === nodeId)!;
  const others = nodes.filter(({ id, intent, health }) => id !== nodeId && intent !== "removed" && (health === "up" || health === "slow"));
  const { chunks, onlyHere } = await countHeldBy(
    db,
    nodeId,
    others.map(({ id }) => id),
  );
  if (chunks === 0) return undefined;
  if (node.health !== "down")
    return `${node.name} still holds ${chunksCounted(chunks)}. Drain it first; it can be removed when it is empty.`;
  if (onlyHere === 0) return undefined;
  return `${chunksHave(onlyHere)} no other copy on a node that is up: without ${node.name} ${onlyHere === 1 ? "it is" : "they are"} lost. Bring it back and drain it.`;
}
