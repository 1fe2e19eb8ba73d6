/**
 * Gives up copies that are too many. The others are read and found whole first; then the copy leaves the chunk's row, in a
 * fence and under its lock; only then does the node put it into its trash, from where it can still come back.
 *
 * Whoever was told by that node that it has the chunk must not count on that any more: `trashing_until` says so to writers. A
 * chunk has one such window at a time, and only who opened it closes it: to close another's would vouch for orders still out.
 * A crash between the two steps leaves a copy that no row names, for the comparison of inventories to find.
 */
import type pg from "pg";
import { ChunkStoreError } from "../chunk-store/index.ts";
import { chunkIdToBytes, type ChunkId } from "../chunking/index.ts";
import { type BadCopyReason, forgetBadCopy } from "../download/index.ts";
import { type Clock, limits, type Logger, systemClock } from "../kernel/index.ts";
import type { Leadership } from "../leadership/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import type { NodeAddress, NodeCommands } from "../node-client/index.ts";
import type { CopyDrop } from "./plan.ts";

export interface SurplusOptions {
  leadership: Pick<Leadership, "requireEpoch" | "fenced">;
  clients: { commandsFor(node: NodeAddress): Pick<NodeCommands, "verify" | "trash" | "restore"> };
  logger: Logger;
  clock?: Clock;
}

/**
 * False when nothing was given up: a copy that should stay is not whole, the row is not what it was, or another copy is just
 * being given up. Rejects with what went wrong.
 */
export async function dropCopies(options: SurplusOptions, id: ChunkId, drops: readonly CopyDrop[]): Promise<boolean> {
  const { leadership, clock = systemClock } = options;
  const kept = [...new Map(drops.flatMap((drop) => drop.kept.map((node) => [node.id, node] as const))).values()];
  const whole = await Promise.all(kept.map((node) => provesWhole(options, id, node)));
  if (whole.includes(false)) return false;
  const given = drops.map(({ node }) => node);
  const announcedAtMs = clock.monotonicMs();
  const window = await leadership.fenced((tx) => openWindow(tx, id, given, kept));
  if (window === undefined) return false;
  await putAway(options, id, given, window, () => clock.monotonicMs() - announcedAtMs <= limits.trashSendWithinMs);
  return true;
}

/** A copy that its node disowns is forgotten, so that the next plan makes another instead of giving one up. */
async function provesWhole({ leadership, clients }: SurplusOptions, id: ChunkId, node: NodeSnapshot): Promise<boolean> {
  try {
    await clients.commandsFor(node).verify(id);
    return true;
  } catch (error) {
    if (!(error instanceof ChunkStoreError)) throw error;
    if (isDisowned(error.code)) await leadership.fenced((tx) => forgetBadCopy(tx, id, node, error.code as BadCopyReason));
    return false;
  }
}

function isDisowned(code: string): code is BadCopyReason {
  return code === "chunk.corrupt" || code === "chunk.not_found";
}

/** The time when it closes by itself. */
type TrashWindow = Date;

/** The copies leave the row. Undefined when they may not. */
async function openWindow(
  tx: pg.PoolClient,
  id: ChunkId,
  given: readonly NodeSnapshot[],
  kept: readonly NodeSnapshot[],
): Promise<TrashWindow | undefined> {
  const { rows } = await tx.query<{ until: TrashWindow }>(OPEN_WINDOW, [
    chunkIdToBytes(id),
    given.map((node) => node.id),
    kept.map((node) => node.id),
    limits.trashSendWithinMs + limits.nodeCommandLifeMs,
  ]);
  return rows[0]?.until;
}

/** The row is locked by the update itself, and judged as it is then. */
const OPEN_WINDOW = `
  UPDATE chunk SET replicas = ARRAY(SELECT unnest(replicas) EXCEPT SELECT unnest($2::smallint[]) ORDER BY 1),
         trashing_until = clock_timestamp() + $4::bigint * interval '1 millisecond'
   WHERE id = $1 AND state = 'live' AND replicas @> $2::smallint[] AND replicas @> $3::smallint[]
     AND (trashing_until IS NULL OR trashing_until <= clock_timestamp())
  RETURNING trashing_until AS until`;

/** `inTime` says whether an order would still be dead before the announcement in the row runs out: this process may have slept. */
async function putAway(
  { leadership, clients, logger }: SurplusOptions,
  id: ChunkId,
  given: readonly NodeSnapshot[],
  window: TrashWindow,
  inTime: () => boolean,
): Promise<void> {
  try {
    for (const node of given.filter(({ health }) => health !== "down")) {
      if (!inTime()) throw new Error("it is too late to order this");
      await clients.commandsFor(node).trash([id], leadership.requireEpoch());
    }
    const named = await leadership.fenced((tx) => closeWindow(tx, id, window));
    for (const node of given.filter(({ id }) => named.includes(id)))
      // written there again in the meantime
      await clients.commandsFor(node).restore([id], leadership.requireEpoch());
  } catch (error) {
    logger.warn({ err: error, chunk: id, nodes: given.map(({ name }) => name) }, "surplus copies stay on their disks, unnamed");
  }
}

/** The order was carried out: what is written from now on counts. Returns the nodes the row names. */
async function closeWindow(tx: pg.PoolClient, id: ChunkId, window: TrashWindow): Promise<readonly number[]> {
  const { rows } = await tx.query<{ replicas: number[] }>(CLOSE_WINDOW, [chunkIdToBytes(id), window]);
  return rows[0]?.replicas ?? [];
}

const CLOSE_WINDOW = `
  UPDATE chunk SET trashing_until = CASE WHEN trashing_until = $2 THEN clock_timestamp() ELSE trashing_until END
   WHERE id = $1 RETURNING replicas`;
