/**
 * What fails together. A zone is the operator's word for it; nodes on one disk share its death whatever anybody says. So
 * copies spread over disks first, and over zones as evenly as that allows.
 */
import type { NodeSnapshot } from "../membership/index.ts";

type Placed = Pick<NodeSnapshot, "id" | "zone" | "device">;

/** Nodes that say the same are on one disk. One that does not know is on a disk of its own; a disk never reaches beyond its zone. */
export function diskOf({ id, zone, device }: Placed): string {
  return device === "" ? `node ${id}` : `${device} in ${zone}`;
}

const SAME_DISK = 1_000;

/** How much a node shares with those that have copies already: any disk in common weighs more than all zones. */
export function crowdAround(node: Placed, holders: readonly Placed[]): number {
  const disk = diskOf(node);
  return holders.reduce((sum, other) => sum + (diskOf(other) === disk ? SAME_DISK : 0) + (other.zone === node.zone ? 1 : 0), 0);
}

export interface Domains {
  kind: "zone" | "disk" | "node";
  of: (node: Placed) => string;
}

type Member = Placed & Pick<NodeSnapshot, "intent">;

const known = new WeakMap<readonly Member[], Domains>();

/**
 * By what copies of this cluster can be told apart: zones where there are several, else disks where there are several, else
 * nodes. Neither the array nor its nodes may change afterwards.
 */
export function domainsOf(nodes: readonly Member[]): Domains {
  let domains = known.get(nodes);
  if (domains === undefined) known.set(nodes, (domains = findDomains(nodes)));
  return domains;
}

function findDomains(nodes: readonly Member[]): Domains {
  const members = nodes.filter(({ intent }) => intent !== "removed");
  if (new Set(members.map(({ zone }) => zone)).size > 1) return { kind: "zone", of: ({ zone }) => zone };
  if (new Set(members.map(diskOf)).size > 1) return { kind: "disk", of: diskOf };
  return { kind: "node", of: ({ id }) => String(id) };
}
