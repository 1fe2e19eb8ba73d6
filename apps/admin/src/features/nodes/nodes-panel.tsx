"use client";
import { Card } from "@holdfast/ui";
import { useLive } from "../live/live-provider.tsx";
import { NoNodes } from "./no-nodes.tsx";
import { NodeList } from "./node-list.tsx";
import { NodeTable } from "./node-table.tsx";
import { NodeListSkeleton } from "./nodes-card.tsx";

export function NodesPanel() {
  const nodes = useLive()?.cluster.nodes;
  return (
    <Card>
      {nodes === undefined && <NodeListSkeleton />}
      {nodes?.length === 0 && <NoNodes />}
      {nodes && nodes.length > 0 && (
        <>
          <div className="lg:hidden">
            <NodeList nodes={nodes} />
          </div>
          <div className="max-lg:hidden">
            <NodeTable nodes={nodes} />
          </div>
        </>
      )}
    </Card>
  );
}
