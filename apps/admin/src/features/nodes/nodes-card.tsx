import type { NodeReport } from "@holdfast/core/cluster-state";
import { buttonStyles, Card, CardHeader, formatCount, Skeleton } from "@holdfast/ui";
import Link from "next/link";
import { NoNodes } from "./no-nodes.tsx";
import { NodeList } from "./node-list.tsx";

const SHOWN = 6;

/** The nodes that need attention first, and a few of the others. */
export function NodesCard({ nodes }: { nodes: NodeReport[] | undefined }) {
  const worstFirst = nodes?.toSorted((a, b) => Number(a.health === "up") - Number(b.health === "up"));
  return (
    <Card>
      <CardHeader title="Nodes" description={nodes && formatCount(nodes.length, "node")}>
        <Link href="/nodes" className={buttonStyles({ size: "sm" })}>
          All nodes
        </Link>
      </CardHeader>
      {worstFirst === undefined && <NodeListSkeleton />}
      {worstFirst?.length === 0 && <NoNodes />}
      {worstFirst && worstFirst.length > 0 && <NodeList nodes={worstFirst.slice(0, SHOWN)} />}
    </Card>
  );
}

export function NodeListSkeleton() {
  return (
    <div className="divide-y">
      {[0, 1, 2].map((row) => (
        <div key={row} className="flex flex-col gap-2 px-4 py-3">
          <Skeleton className="h-5 w-40" />
          <Skeleton className="h-1.5" />
          <Skeleton className="h-5 w-52" />
        </div>
      ))}
    </div>
  );
}
