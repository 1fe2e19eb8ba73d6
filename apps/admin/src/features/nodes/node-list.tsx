"use client";
import type { NodeReport } from "@holdfast/core/cluster-state";
import Link from "next/link";
import { Age } from "../live/age.tsx";
import { NodeCapacity } from "./node-capacity.tsx";
import { NodeHealth } from "./node-health.tsx";

/** The nodes where there is little room. */
export function NodeList({ nodes }: { nodes: NodeReport[] }) {
  return (
    <ul className="divide-y">
      {nodes.map((node) => (
        <li key={node.id} className="flex flex-col gap-2 px-4 py-3">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <Link href={`/nodes/${node.id}`} className="rounded-md font-medium underline-offset-4 hover:underline pointer-coarse:py-2">
              {node.name}
            </Link>
            <NodeHealth node={node} />
            <span className="figures ml-auto text-sm text-ink-muted">
              heard <Age at={node.lastSeenAt} />
            </span>
          </div>
          <NodeCapacity node={node} />
        </li>
      ))}
    </ul>
  );
}
