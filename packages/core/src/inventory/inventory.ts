/**
 * Whose turn it is to be compared with the database, and whose word can be relied on.
 *
 * Each node is compared at a steady interval, and at once when it has been away or was restarted. One node at a time: an
 * inventory reads a node's whole directory. What a node found damaged is asked for as soon as its heartbeat counts more of it.
 */
import { brakeLimits, type BrakeLimits, isWithinReach, type KnownNode, readKnownNodes } from "../garbage-collection/index.ts";
import { type Clock, HOUR_MS, limits, type Logger, SECOND_MS, systemClock } from "../kernel/index.ts";
import { LeadershipError } from "../leadership/index.ts";
import { forgetDamaged, type InventoryParts, takeInventory } from "./take-inventory.ts";

/** After an inventory its node is left alone for so many times as long as it took, unless nothing is known of it. */
const REST_FACTOR = 10;

export interface InventoryOptions extends Omit<InventoryParts, "brakes"> {
  safemode: { isOn(): boolean };
  logger: Logger;
  graceMs?: number;
  brakes?: BrakeLimits;
  clock?: Clock;
}

export interface Inventory {
  /** Compares the nodes whose turn it is. Rejects with `leader.not_us`; a node that fails is logged and tried again. */
  step(signal: AbortSignal): Promise<void>;
  /** Whether what the rows say of this node was compared since it was away for longer than the grace, or ever. As of the last step. */
  isInventoried(nodeId: number): boolean;
  /** Which node's holdings nobody knows well enough to remove anything anywhere; undefined when all are known. */
  gap(): Promise<string | undefined>;
}

/** Several times within the grace, so that what an inventory finds does not wait much longer than that. */
export function inventoryIntervalMs(graceMs: number): number {
  return Math.min(Math.max(graceMs / 4, 5 * SECOND_MS), 6 * HOUR_MS);
}

/** What this process remembers of its own last inventory of a node. */
interface LastInventory {
  bootId: string;
  endedAtMs: number;
  tookMs: number;
  /** Chunks whose only known copy was not there: reported once. */
  lost: number;
}

export function createInventory(options: InventoryOptions): Inventory {
  const { pool, safemode, logger, graceMs = limits.gcGraceMs, brakes = brakeLimits, clock = systemClock } = options;
  const intervalMs = inventoryIntervalMs(graceMs);
  const last = new Map<number, LastInventory>();
  /** What each node counted when it was last asked what it found damaged. */
  const damageAsked = new Map<number, string>();
  let known: readonly KnownNode[] = [];

  const isDue = (node: KnownNode): boolean => {
    if (node.inventoryAgeMs === null) return true;
    const memory = last.get(node.id);
    if (memory !== undefined && clock.monotonicMs() - memory.endedAtMs < memory.tookMs * REST_FACTOR) return false;
    if (node.inventoryAgeMs > intervalMs || node.changedBeforeInventoryMs! < 0) return true;
    return memory !== undefined && memory.bootId !== node.bootId;
  };

  const attempt = async (node: KnownNode, signal: AbortSignal, work: () => Promise<void>): Promise<void> => {
    signal.throwIfAborted();
    try {
      await work();
    } catch (error) {
      if (error instanceof LeadershipError || signal.aborted) throw error;
      logger.warn({ err: error, node: node.name }, "a node could not be compared with the database; it will be tried again");
    }
  };

  const askForDamage = async (node: KnownNode): Promise<void> => {
    const counted = `${node.bootId} ${node.corruptChunks}`;
    if (damageAsked.get(node.id) === counted) return;
    await forgetDamaged({ ...options, brakes }, node);
    damageAsked.set(node.id, counted);
  };

  const compare = async (node: KnownNode, signal: AbortSignal): Promise<void> => {
    const startedAtMs = clock.monotonicMs();
    const findings = await takeInventory({ ...options, brakes }, node, { signal, lostBefore: last.get(node.id)?.lost });
    logger.info({ node: node.name, ...findings }, "a node was compared with the database");
    remember(node, startedAtMs, findings.lost);
  };

  const remember = ({ id, bootId }: KnownNode, startedAtMs: number, lost: number): void => {
    const endedAtMs = clock.monotonicMs();
    last.set(id, { bootId, endedAtMs, tookMs: endedAtMs - startedAtMs, lost });
  };

  /** Beyond what the interval and the rest after an inventory explain. */
  const isLate = ({ id, inventoryAgeMs }: KnownNode): boolean =>
    inventoryAgeMs === null || inventoryAgeMs > 3 * intervalMs + 2 * REST_FACTOR * (last.get(id)?.tookMs ?? 0);

  return {
    async step(signal) {
      known = await readKnownNodes(pool);
      if (safemode.isOn()) return;
      const reachable = known.filter(isWithinReach);
      for (const node of reachable) await attempt(node, signal, () => askForDamage(node));
      for (const node of reachable.filter(isDue)) await attempt(node, signal, () => compare(node, signal));
      known = await readKnownNodes(pool);
    },
    isInventoried(nodeId) {
      const node = known.find(({ id }) => id === nodeId);
      return node !== undefined && node.changedBeforeInventoryMs !== null && node.changedBeforeInventoryMs > -graceMs;
    },
    async gap() {
      const late = (await readKnownNodes(pool)).filter((node) => isWithinReach(node) && isLate(node));
      if (late.length === 0) return undefined;
      return `What ${late.map(({ name }) => name).join(", ")} hold${late.length === 1 ? "s" : ""} has not been compared with the database lately. Nothing is cleaned up until it has.`;
    },
  };
}
