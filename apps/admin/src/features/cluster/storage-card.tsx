import type { ClusterReport } from "@holdfast/core/cluster-state";
import { CapacityBar, Card, CardHeader, formatBytes, formatCount, Skeleton } from "@holdfast/ui";
import { Fact, Facts } from "../shell/facts.tsx";

/** What the cluster can keep. A disk that several nodes share counts once; a node that is away does not count. */
export function StorageCard({ cluster }: { cluster: ClusterReport | undefined }) {
  return (
    <Card>
      <CardHeader title="Storage" description="All nodes within reach together" />
      {cluster === undefined ? (
        <div className="flex flex-col gap-3 px-4 py-4">
          <Skeleton className="h-2" />
          <Skeleton className="h-24" />
        </div>
      ) : (
        <StorageFigures cluster={cluster} />
      )}
    </Card>
  );
}

function StorageFigures({ cluster: { capacity, nodes, sharedDisks } }: { cluster: ClusterReport }) {
  const { totalBytes, freeBytes, devices } = capacity;
  const members = nodes.filter((node) => node.intent !== "removed");
  const chunkBytes = members.reduce((total, node) => total + node.usedBytes, 0);
  return (
    <>
      <CapacityBar label="Storage of all nodes" usedBytes={totalBytes - freeBytes} totalBytes={totalBytes} className="px-4 pt-4" />
      <Facts>
        <Fact name="In chunks">{formatBytes(chunkBytes)}, every copy counted</Fact>
        <Fact name="Free for chunks">{formatBytes(freeBytes)}</Fact>
        <Fact name="Disks">
          {formatCount(devices, "disk")}, {formatBytes(totalBytes)}
        </Fact>
        <Fact name="Nodes up">
          {members.filter((node) => node.health === "up").length} of {members.length}
        </Fact>
      </Facts>
      {sharedDisks !== "" && <p className="px-4 pb-4 text-ink-muted">{sharedDisks}</p>}
    </>
  );
}
