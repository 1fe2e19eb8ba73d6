import type { Membership, NodeSnapshot } from "../membership/index.ts";
import type { NodeStandings } from "../node-standing/index.ts";

/** A node that is down may have come back a moment ago, so it comes last but is not left out. */
const HEALTH_ORDER = { up: 0, slow: 1, suspect: 2, down: 3 } as const;

/** The nodes that may hold a copy, best first. A node this gateway has never heard of is left out: it has no address. */
export function rankCopies(replicas: readonly number[], membership: Membership, standings: NodeStandings): NodeSnapshot[] {
  const grade = (node: NodeSnapshot): number => HEALTH_ORDER[node.health] + (standings.isAvoided(node.id, "reading") ? 2 : 0);
  return replicas
    .map((id) => membership.node(id))
    .filter((node) => node !== undefined)
    .toSorted((a, b) => grade(a) - grade(b) || standings.expectedReadMs(a.id) - standings.expectedReadMs(b.id));
}
