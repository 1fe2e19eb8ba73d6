import { inWords } from "../wording/index.ts";
import type { NodeReport } from "./report.ts";

/** Nodes of which this is the same are on one disk, whatever zones they were put in. */
export function physicalDisk({ id, device }: Pick<NodeReport, "id" | "device">): string {
  return device === "" ? `node ${id}` : device;
}

/**
 * What copies on too few disks are worth: one sentence, and no alarm, because whoever set it up so knows. Empty when there
 * are enough. Pure.
 */
export function sharedDisksWords(nodes: readonly Pick<NodeReport, "id" | "device" | "intent">[], replicas: number): string {
  const members = nodes.filter(({ intent }) => intent !== "removed");
  const disks = new Set(members.map(physicalDisk)).size;
  if (disks === members.length || disks >= replicas) return "";
  if (disks === 1) return `All ${inWords(members.length)} nodes are on one disk: the copies survive a node, and not that disk.`;
  return `The nodes are on ${inWords(disks)} disks: of ${inWords(replicas)} copies, some share one and die with it.`;
}
