/**
 * A database that was set back to an earlier state knows less than the nodes do: it calls chunks unknown that somebody's
 * files are made of. Nodes remember the highest epoch of any leader they heard, so they tell it by refusing us, although the
 * database says that we lead. So that they do even when nobody but one leader was there since, he raises his epoch now and
 * then and makes himself heard.
 */
import type pg from "pg";
import { ChunkStoreError } from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import type { Leadership } from "../leadership/index.ts";
import type { NodeAddress, NodeCommands } from "../node-client/index.ts";
import { isWithinReach, type KnownNode, readKnownNodes } from "./nodes.ts";

/** No bytes have this name. Asking for it back does nothing but make the node hear who leads. */
const NO_CHUNK = "0".repeat(64) as ChunkId;

export interface OlderDatabase {
  /** The database's epoch, and the highest that any node remembers. */
  epoch: number;
  highest: number;
  nodes: string[];
}

/** Makes this leader heard by these nodes. `older` is undefined when none of them knows of a later one. */
export async function askNodes(
  nodes: readonly KnownNode[],
  clients: EpochClients,
  epoch: number,
): Promise<{ answered: number; older: OlderDatabase | undefined }> {
  const answers = await Promise.all(nodes.map((node) => highestOf(node, clients, epoch)));
  const newer = answers.filter((answer) => answer !== undefined && answer.highest > epoch) as { name: string; highest: number }[];
  const older = { epoch, highest: Math.max(...newer.map(({ highest }) => highest)), nodes: newer.map(({ name }) => name) };
  return { answered: answers.filter((answer) => answer !== undefined).length, older: newer.length === 0 ? undefined : older };
}

interface EpochClients {
  commandsFor(node: NodeAddress): Pick<NodeCommands, "restore">;
}

/** Undefined for a node that does not answer: it cannot say anything. */
async function highestOf(node: KnownNode, clients: EpochClients, epoch: number): Promise<{ name: string; highest: number } | undefined> {
  try {
    await clients.commandsFor(node).restore([NO_CHUNK], epoch);
    return { name: node.name, highest: epoch };
  } catch (error) {
    if (!(error instanceof ChunkStoreError)) throw error;
    return error.code === "store.stale_epoch" ? { name: node.name, highest: Number(error.details.highest) } : undefined;
  }
}

export interface DatabaseAgeOptions {
  pool: pg.Pool;
  leadership: Pick<Leadership, "requireEpoch" | "advance">;
  clients: EpochClients;
}

/**
 * Lets the nodes remember that the database has come this far. Not before they have confirmed that it is not behind them: it
 * would catch up unnoticed. Not while most of them are silent either.
 */
export async function markDatabaseAge({ pool, leadership, clients }: DatabaseAgeOptions): Promise<void> {
  const nodes = (await readKnownNodes(pool)).filter(isWithinReach);
  const { answered, older } = await askNodes(nodes, clients, leadership.requireEpoch());
  if (older !== undefined || answered * 2 <= nodes.length) return; // the collector tells the operator
  await leadership.advance();
  await askNodes(nodes, clients, leadership.requireEpoch());
}

export function olderDatabaseWords({ epoch, highest, nodes }: OlderDatabase): string {
  return (
    `${nodes.join(", ")} remember a later leader (${highest}) than the database does (${epoch}): it was set back to an earlier state. ` +
    "Restore the later one; or agree that this one counts, and what only the later one knew is cleaned up after the grace."
  );
}

/** After an operator said that this database counts: ends our own lease, and the next one is higher than what any node remembers. */
export async function raiseEpoch(tx: pg.PoolClient, highest: number): Promise<void> {
  await tx.query("UPDATE lease SET epoch = $1, expires_at = clock_timestamp() WHERE epoch <= $1", [highest]);
}
