/**
 * What healing decides by: the nodes, how long each that is down has been so, and what an operator wants.
 *
 * A node that is down is *awaited* for a while, because most come back; then it is *lost*. One in maintenance is awaited
 * until that ends. Either is *absent*: its copies cannot be read now.
 */
import type pg from "pg";
import type { Membership, NodeSnapshot } from "../membership/index.ts";
import { domainsOf, type PlacementPolicy } from "../placement/index.ts";
import type { PaceOrders } from "./pace.ts";
import type { HealingTerms } from "./plan.ts";

export interface HealingView {
  /** Never changes; the next view has others. */
  nodes: readonly NodeSnapshot[];
  terms: Required<Pick<HealingTerms, "wanted" | "policy" | "awaited">>;
  /** Numbers of the nodes whose copies cannot be read, and of those among them that are not awaited. */
  absent: readonly number[];
  lost: readonly number[];
  removed: readonly number[];
  /** At each node's number, the number of what it fails together with. */
  domains: readonly number[];
  /** How many of these have a node that takes chunks. */
  domainsWithRoom: number;
  orders: PaceOrders;
  /** The same as long as nothing changed that a plan depends on. */
  key: string;
}

export interface ViewSources {
  pool: pg.Pool;
  membership: Membership;
  /** Copies each chunk should have, unless the cluster's row says otherwise. */
  replicas: number;
  /** How long a node that is down is awaited. */
  repairAfterMs: number;
}

interface ClusterRow {
  now: Date;
  replicas: number | null;
  policy: PlacementPolicy | null;
  paused: boolean | null;
  bytesPerSecondMax: number | null;
}

export async function readView({ pool, membership, replicas, repairAfterMs }: ViewSources): Promise<HealingView> {
  const nodes = membership.nodes();
  const { rows } = await pool.query<ClusterRow>({ name: "healing-cluster", text: CLUSTER });
  const { now, policy, paused, bytesPerSecondMax, ...cluster } = rows[0]!;
  const isAwaited = ({ intent, health, healthChangedAt }: NodeSnapshot): boolean =>
    health === "down" && intent !== "removed" && (intent === "maintenance" || now.getTime() - healthChangedAt.getTime() < repairAfterMs);
  const awaited = new Set(nodes.filter(isAwaited).map(({ id }) => id));
  const absent = nodes.filter(({ health, intent }) => health === "down" || intent === "removed").map(({ id }) => id);
  const terms = { wanted: cluster.replicas ?? replicas, policy: policy ?? ("rendezvous" as const), awaited };
  const orders = { paused: paused ?? false, bytesPerSecondMax };
  return {
    nodes,
    terms,
    absent,
    lost: absent.filter((id) => !awaited.has(id)),
    removed: nodes.filter(({ intent }) => intent === "removed").map(({ id }) => id),
    domains: numberedDomains(nodes),
    domainsWithRoom: new Set(nodes.filter(takesChunks).map(domainsOf(nodes).of)).size,
    orders,
    key: JSON.stringify([
      orders.paused,
      terms.wanted,
      terms.policy,
      nodes.map(({ id, zone, device, health, intent, writable }) => [id, zone, device, health, intent, writable, awaited.has(id)]),
    ]),
  };
}

const CLUSTER = `
  SELECT clock_timestamp() AS now, replicas, placement_policy AS policy, healing_paused AS paused, healing_bytes_per_sec AS "bytesPerSecondMax"
    FROM (VALUES (1)) AS always LEFT JOIN cluster ON true`;

function takesChunks({ intent, health, writable }: NodeSnapshot): boolean {
  return intent === "active" && health !== "down" && writable;
}

function numberedDomains(nodes: readonly NodeSnapshot[]): number[] {
  const { of } = domainsOf(nodes);
  const known = [...new Set(nodes.map(of))];
  const domains = Array.from({ length: Math.max(0, ...nodes.map(({ id }) => id)) }, () => -1);
  for (const node of nodes) domains[node.id - 1] = known.indexOf(of(node));
  return domains;
}
