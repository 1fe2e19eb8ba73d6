/**
 * One node's inventory: what the database says the node holds is made true again.
 *
 * A copy that is said to be there and is not stops counting, and repair makes another. One that is there and not said to be
 * counts once it was read whole. A chunk that no row knows becomes garbage that waits for its grace. No byte moves or goes:
 * what an inventory gets wrong, the next one puts right.
 */
import type pg from "pg";
import { type ChunkStat, type ChunkStore, ChunkStoreError } from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import { recordEvent } from "../events/index.ts";
import {
  type Amount,
  brake,
  type BrakeCause,
  type BrakeLimits,
  countLiveChunks,
  findApproval,
  isCovered,
  isTooMuch,
  type KnownNode,
  settleBrake,
} from "../garbage-collection/index.ts";
import { limits } from "../kernel/index.ts";
import type { Leadership } from "../leadership/index.ts";
import type { NodeAddress, NodeCommands } from "../node-client/index.ts";
import { compareNode, type RangeDifferences } from "./compare.ts";
import { addCopies, adopt, forgetCopies, nameForTrash, stillUnknown } from "./records.ts";

/** Unknown chunks kept in memory until the end; what is beyond it waits for the next inventory, but counts for the brake. */
const UNKNOWN_KEPT_MAX = 100_000;
const BATCH = 500;
const ASKED_AT_ONCE = 8;

export interface InventoryParts {
  pool: pg.Pool;
  leadership: Pick<Leadership, "fenced" | "requireEpoch">;
  clients: {
    clientFor(node: NodeAddress): Pick<ChunkStore, "list" | "stat">;
    commandsFor(node: NodeAddress): Pick<NodeCommands, "verify" | "restore" | "lostChunks">;
  };
  brakes: BrakeLimits;
}

export interface InventoryFindings {
  held: number;
  /** Copies that were not there, and count no longer. */
  missing: number;
  /** Chunks that are not there either, and of which no other copy is known. */
  lost: number;
  /** Copies that count from now on, out of the node's trash or because nobody had noted them. */
  found: number;
  /** Chunks that had no row and are garbage from now on. */
  adopted: number;
}

/** Rejects when the node or the database does not answer; the inventory then counts for nothing, and what it did stays right. */
export async function takeInventory(
  parts: InventoryParts,
  node: KnownNode,
  { signal, lostBefore = 0 }: { signal: AbortSignal; lostBefore?: number },
): Promise<InventoryFindings> {
  const inventory = new NodeInventory(parts, node, lostBefore);
  for await (const range of compareNode(parts.pool, parts.clients.clientFor(node), node.id)) {
    signal.throwIfAborted();
    await inventory.settle(range);
  }
  return await inventory.finish();
}

/** Only what the node itself says it found damaged: a matter of seconds, where an inventory may take minutes. Rejects as that does. */
export async function forgetDamaged(parts: InventoryParts, node: KnownNode): Promise<InventoryFindings> {
  return await new NodeInventory(parts, node, 0).settleDamaged();
}

class NodeInventory {
  readonly #parts: InventoryParts;
  readonly #node: KnownNode;
  readonly #findings: InventoryFindings = { held: 0, missing: 0, lost: 0, found: 0, adopted: 0 };
  readonly #unknown: ChunkStat[] = [];
  readonly #unknownAmount: Amount = { chunks: 0, bytes: 0 };

  readonly #lostBefore: number;

  /** `lostBefore` was reported already. */
  constructor(parts: InventoryParts, node: KnownNode, lostBefore: number) {
    this.#parts = parts;
    this.#node = node;
    this.#lostBefore = lostBefore;
  }

  async settle(range: RangeDifferences): Promise<void> {
    this.#findings.held += range.held;
    await this.#settleMissing(range.missing);
    await this.#settleUnlisted(range.unlisted, range.asOf);
    const goneAnyway = await this.#notThere(range.missingCondemned);
    if (goneAnyway.length > 0) await this.#fenced((tx) => forgetCopies(tx, this.#node.id, goneAnyway));
    const toTrash = range.unlistedCondemned.map(({ id }) => id);
    if (toTrash.length > 0) await this.#fenced((tx) => nameForTrash(tx, this.#node.id, toTrash));
    for (const chunk of range.unknown) this.#noteUnknown(chunk);
  }

  async settleDamaged(): Promise<InventoryFindings> {
    for (let after: ChunkId | undefined; ;) {
      const page = await this.#commands().lostChunks(after, limits.listPageMax);
      await this.#settleMissing(page.map(({ id }) => id));
      if (page.length === 0) break;
      after = page.at(-1)!.id;
    }
    if (this.#isNews()) await this.#fenced((tx) => this.#report(tx));
    return this.#findings;
  }

  async finish(): Promise<InventoryFindings> {
    await this.#settleUnknown();
    await this.#fenced(async (tx) => {
      await tx.query("UPDATE node SET inventoried_at = clock_timestamp() WHERE id = $1", [this.#node.id]);
      if (this.#isNews()) await this.#report(tx);
    });
    return this.#findings;
  }

  /** Asked for by name now, and looked for in the trash, before it stops counting. */
  async #settleMissing(ids: readonly ChunkId[]): Promise<void> {
    const absent = await this.#notThere(ids);
    if (absent.length === 0) return;
    const back = new Set(await this.#commands().restore(absent, this.#parts.leadership.requireEpoch()));
    const gone = absent.filter((id) => !back.has(id));
    this.#findings.found += back.size;
    for (let from = 0; from < gone.length; from += BATCH) {
      const { forgotten, last } = await this.#fenced((tx) => forgetCopies(tx, this.#node.id, gone.slice(from, from + BATCH)));
      this.#findings.missing += forgotten;
      this.#findings.lost += last;
    }
  }

  async #notThere(ids: readonly ChunkId[]): Promise<ChunkId[]> {
    const store = this.#parts.clients.clientFor(this.#node);
    const held = await eachOf(ids, async (id) => ((await store.stat(id)) === undefined ? id : undefined));
    return held.filter((id) => id !== undefined);
  }

  /** A copy that cannot be read whole was set aside by its node, and is no copy. */
  async #settleUnlisted(chunks: readonly ChunkStat[], asOf: Date): Promise<void> {
    const verified = await eachOf(chunks, async ({ id }) => ((await this.#isWhole(id)) ? id : undefined));
    const whole = verified.filter((id) => id !== undefined);
    if (whole.length === 0) return;
    this.#findings.found += await this.#fenced((tx) => addCopies(tx, this.#node.id, whole, asOf));
  }

  async #isWhole(id: ChunkId): Promise<boolean> {
    try {
      await this.#commands().verify(id);
      return true;
    } catch (error) {
      if (error instanceof ChunkStoreError && (error.code === "chunk.corrupt" || error.code === "chunk.not_found")) return false;
      throw error;
    }
  }

  #noteUnknown(chunk: ChunkStat): void {
    this.#unknownAmount.chunks++;
    this.#unknownAmount.bytes += chunk.length;
    if (this.#unknown.length < UNKNOWN_KEPT_MAX) this.#unknown.push(chunk);
  }

  /** Only now: what was being written when its range was read has its row by now, or is nobody's. */
  async #settleUnknown(): Promise<void> {
    const unknown: ChunkStat[] = [];
    for (let from = 0; from < this.#unknown.length; from += BATCH) {
      unknown.push(...(await stillUnknown(this.#parts.pool, this.#unknown.slice(from, from + BATCH))));
    }
    const beyond = this.#unknownAmount.chunks - this.#unknown.length;
    const bytes = beyond > 0 ? this.#unknownAmount.bytes : unknown.reduce((sum, { length }) => sum + length, 0);
    if (!(await this.#mayAdopt({ chunks: unknown.length + beyond, bytes }))) return;
    for (let from = 0; from < unknown.length; from += BATCH) {
      this.#findings.adopted += await this.#fenced((tx) => adopt(tx, this.#node.id, unknown.slice(from, from + BATCH)));
    }
  }

  /** Many chunks that nobody knows are no garbage but the sign of a database that has lost something. */
  async #mayAdopt(amount: Amount): Promise<boolean> {
    const { pool, brakes } = this.#parts;
    const cause: BrakeCause = `unknown-chunks/${this.#node.id}`;
    const isLarge = isTooMuch(amount, 0, brakes);
    const chunksTotal = isLarge ? await countLiveChunks(pool) : 0;
    if (!isLarge || !isTooMuch(amount, chunksTotal, brakes)) {
      await settleBrake(this.#parts, cause);
      return true;
    }
    const approval = await findApproval(pool, cause);
    if (approval !== undefined && isCovered(amount, approval)) return true;
    const why = `${this.#node.name} holds ${amount.chunks} chunks (${amount.bytes} bytes) that the database does not know; it knows ${chunksTotal}. If the database was set back to an earlier state, restore the later one. If they are garbage, agree to have them cleaned up.`;
    await this.#fenced((tx) => brake(tx, cause, why, amount));
    return false;
  }

  #isNews(): boolean {
    const { missing, lost, found, adopted } = this.#findings;
    return missing + found + adopted > 0 || lost > this.#lostBefore;
  }

  async #report(tx: pg.PoolClient): Promise<void> {
    const { missing, lost, found, adopted } = this.#findings;
    const parts = [
      missing > 0 && `${missing} copies are not there and count no longer`,
      lost > 0 && `of ${lost} chunks the only known copy is not there`,
      found > 0 && `${found} copies are there and count again`,
      adopted > 0 && `${adopted} chunks belong to nothing and will be cleaned up`,
    ].filter((part) => part !== false);
    await recordEvent(tx, {
      severity: lost > 0 ? "error" : missing > 0 ? "warning" : "info",
      kind: "node.inventoried",
      message: `${this.#node.name} was compared with the database: ${parts.join("; ")}.`,
      nodeId: this.#node.id,
      data: { ...this.#findings },
    });
  }

  #fenced<T>(work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
    return this.#parts.leadership.fenced(work);
  }

  #commands(): Pick<NodeCommands, "verify" | "restore" | "lostChunks"> {
    return this.#parts.clients.commandsFor(this.#node);
  }
}

/** A few at a time. */
async function eachOf<Item, Result>(items: readonly Item[], ask: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += ASKED_AT_ONCE) {
    results.push(...(await Promise.all(items.slice(from, from + ASKED_AT_ONCE).map(ask))));
  }
  return results;
}
