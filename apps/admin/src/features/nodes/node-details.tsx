"use client";
import type { NodeReport } from "@holdfast/core/cluster-state";
import { buttonStyles, Card, CardHeader, EmptyState, formatExactTime, Skeleton } from "@holdfast/ui";
import { SearchX } from "lucide-react";
import Link from "next/link";
import { EventLog } from "../events/event-log.tsx";
import { HistoryPanel } from "../history/history-panel.tsx";
import type { HistorySpan } from "../history/spans.ts";
import { Age } from "../live/age.tsx";
import { useLive } from "../live/live-provider.tsx";
import { Fact, Facts } from "../shell/facts.tsx";
import { Page } from "../shell/page.tsx";
import { NodeActions } from "./node-actions.tsx";
import { NodeCapacity } from "./node-capacity.tsx";
import { NodeHealth } from "./node-health.tsx";

export function NodeDetails({ id, span }: { id: number; span: HistorySpan }) {
  const nodes = useLive()?.cluster.nodes;
  const node = nodes?.find((candidate) => candidate.id === id);
  if (nodes !== undefined && node === undefined) return <NoSuchNode id={id} />;
  return (
    <Page title={node?.name ?? <Skeleton className="h-7 w-32" />} aside={node && <NodeHead node={node} />}>
      <Card>
        <CardHeader title="Facts" />
        {node ? <NodeFacts node={node} /> : <Skeleton className="m-4 h-64" />}
      </Card>
      <HistoryPanel span={span} path={`/nodes/${id}`} nodeId={id} />
      <EventLog nodeId={id} />
    </Page>
  );
}

function NodeHead({ node }: { node: NodeReport }) {
  return (
    <>
      <NodeHealth node={node} />
      <span className="ml-auto">
        <NodeActions node={node} />
      </span>
    </>
  );
}

function NodeFacts({ node }: { node: NodeReport }) {
  return (
    <div className="grid md:grid-cols-2">
      <Facts>
        <Fact name="State">
          <NodeHealth node={node} /> since {formatExactTime(node.healthChangedAt)}
        </Fact>
        {node.healthReason !== "" && <Fact name="Reason">{node.healthReason}</Fact>}
        <Fact name="Last heartbeat">
          <Age at={node.lastSeenAt} />
        </Fact>
        <Fact name="Disk">
          <NodeCapacity node={node} className="max-w-xs pt-2" />
        </Fact>
        <Fact name="Chunks">{node.chunkCount.toLocaleString("en")}</Fact>
      </Facts>
      <Facts>
        <Fact name="Address">
          <span className="font-mono text-sm">
            {node.host}:{node.port}
          </span>
        </Fact>
        {node.grpcPort !== 0 && (
          <Fact name="gRPC">
            <span className="font-mono text-sm">
              {node.host}:{node.grpcPort}
            </span>
          </Fact>
        )}
        <Fact name="Zone">{node.zone}</Fact>
        <Fact name="Number">{node.id}</Fact>
        <Fact name="MAC">
          <span className="font-mono text-sm">{node.mac || "not told"}</span>
        </Fact>
        <Fact name="Store">{node.store}</Fact>
        <Fact name="Version">{node.version || "not told"}</Fact>
        <Fact name="Joined">{formatExactTime(node.registeredAt)}</Fact>
      </Facts>
    </div>
  );
}

function NoSuchNode({ id }: { id: number }) {
  return (
    <EmptyState
      icon={<SearchX />}
      heading="h1"
      title={`There is no node ${id}`}
      actions={
        <Link href="/nodes" className={buttonStyles({ look: "primary" })}>
          All nodes
        </Link>
      }
    >
      Numbers are never given twice; this one has not been given yet.
    </EmptyState>
  );
}
