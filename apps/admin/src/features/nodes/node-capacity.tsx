import type { NodeReport } from "@holdfast/core/cluster-state";
import { CapacityBar, formatBytes } from "@holdfast/ui";

/** How full a node's disk is, with what it still takes. */
export function NodeCapacity({ node, className }: { node: NodeReport; className?: string }) {
  return (
    <CapacityBar
      label={`Disk of ${node.name}`}
      usedBytes={node.capacityBytes - node.freeBytes}
      totalBytes={node.capacityBytes}
      className={className}
    >
      {formatBytes(node.freeBytes)} free of {formatBytes(node.capacityBytes)}
      {!node.writable && ", takes no new chunks"}
    </CapacityBar>
  );
}
