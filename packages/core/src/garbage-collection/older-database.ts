/**
 * A database that was set back to an earlier state knows less than the nodes do: it calls chunks unknown that somebody's
 * files are made of. Nodes remember the highest epoch of any leader they heard, so they tell it by refusing us, although the
 * database says that we lead.
 */
import type pg from "pg";
import { ChunkStoreError } from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import type { NodeAddress, NodeCommands } from "../node-client/index.ts";
import type { KnownNode } from "./nodes.ts";

/** No bytes have this name. Asking for it back does nothing but make the node hear who leads. */
const NO_CHUNK = "0".repeat(64) as ChunkId;

export interface OlderDatabase {
  /** The database's epoch, and the highest that any node remembers. */
  epoch: number;
  highest: number;
  nodes: string[];
}

/** Makes this leader heard by all these nodes. Undefined when none of them knows of a newer one. */
export async function findOlderDatabase(
  nodes: readonly KnownNode[],
  clients: { commandsFor(node: NodeAddress): Pick<NodeCommands, "restore"> },
  epoch: number,
): Promise<OlderDatabase | undefined> {
  const remembered = await Promise.all(
    nodes.map(async (node) => {
      try {
        await clients.commandsFor(node).restore([NO_CHUNK], epoch);
      } catch (error) {
        if (error instanceof ChunkStoreError && error.code === "store.stale_epoch")
          return { name: node.name, highest: Number(error.details.highest) };
        if (!(error instanceof ChunkStoreError)) throw error; // one that does not answer cannot say anything
      }
    }),
  );
  const newer = remembered.filter((memory) => memory !== undefined);
  if (newer.length === 0) return undefined;
  return { epoch, highest: Math.max(...newer.map(({ highest }) => highest)), nodes: newer.map(({ name }) => name) };
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
