import type { NodeReport } from "@holdfast/core/cluster-state";
import { CapacityBar, Card, CardHeader, formatBytes, Skeleton } from "@holdfast/ui";
import { Fact, Facts } from "../shell/facts.tsx";

/** What the nodes have together. A node that is away counts with what it last said. */
export function StorageCard({ nodes }: { nodes: NodeReport[] | undefined }) {
  const members = nodes?.filter((node) => node.intent !== "removed");
  return (
    <Card>
      <CardHeader title="Storage" description="All nodes together" />
      {members === undefined ? (
        <div className="flex flex-col gap-3 px-4 py-4">
          <Skeleton className="h-2" />
          <Skeleton className="h-24" />
        </div>
      ) : (
        <StorageFigures nodes={members} />
      )}
    </Card>
  );
}

function StorageFigures({ nodes }: { nodes: NodeReport[] }) {
  const sum = (value: (node: NodeReport) => number): number => nodes.reduce((total, node) => total + value(node), 0);
  const capacityBytes = sum((node) => node.capacityBytes);
  const freeBytes = sum((node) => node.freeBytes);
  return (
    <>
      <CapacityBar label="Storage of all nodes" usedBytes={capacityBytes - freeBytes} totalBytes={capacityBytes} className="px-4 pt-4" />
      <Facts>
        <Fact name="In chunks">{formatBytes(sum((node) => node.usedBytes))}, every copy counted</Fact>
        <Fact name="Free for chunks">{formatBytes(freeBytes)}</Fact>
        <Fact name="Disks">{formatBytes(capacityBytes)}</Fact>
        <Fact name="Nodes up">
          {nodes.filter((node) => node.health === "up").length} of {nodes.length}
        </Fact>
      </Facts>
    </>
  );
}
