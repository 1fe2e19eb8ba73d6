/**
 * Whether what the database says agrees with itself and with the nodes, both ways. Reads only, and may run at any time:
 * whatever looks wrong is asked for a second time before it is called so.
 *
 * It knows three answers and not two. What it could not look at, it names; a cluster with a node away is not clean.
 */
import type pg from "pg";
import type { ChunkStore } from "../chunk-store/index.ts";
import { limits } from "../kernel/index.ts";
import type { NodeAddress } from "../node-client/index.ts";
import { checkCopies } from "./check-copies.ts";
import { checkRows } from "./check-rows.ts";
import { type Consistency, Findings } from "./finding.ts";

export interface ConsistencyOptions {
  pool: pg.Pool;
  clients: { clientFor(node: NodeAddress): Pick<ChunkStore, "list" | "stat"> };
}

/** Rejects when the database does not answer. */
export async function checkConsistency({ pool, clients }: ConsistencyOptions): Promise<Consistency> {
  const findings = new Findings(limits.fsckFindingsMax);
  const rows = await checkRows(pool, findings);
  const { unchecked, ...copies } = await checkCopies({ pool, clients, findings });
  return { findings: findings.first, counts: findings.counts, unchecked, checked: { ...rows, ...copies } };
}

/**
 * Has what was found on nodes put right, by having their inventory taken now: the leading controller does that, with all its
 * own caution. Returns the names of the nodes. What is wrong within the database is for a person to judge.
 */
export async function askForInventory(pool: pg.Pool, { findings }: Pick<Consistency, "findings">): Promise<string[]> {
  const nodeIds = [...new Set(findings.flatMap(({ nodeId }) => (nodeId === undefined ? [] : [nodeId])))];
  const { rows } = await pool.query<{ name: string }>(
    "UPDATE node SET inventoried_at = NULL WHERE id = ANY ($1::smallint[]) RETURNING name",
    [nodeIds],
  );
  return rows.map(({ name }) => name).toSorted();
}
