"use client";
import type { NodeReport } from "@holdfast/core/cluster-state";
import { Table, TableCell, TableHead, TableHeader, TableRow } from "@holdfast/ui";
import Link from "next/link";
import { Age } from "../live/age.tsx";
import { NodeActions } from "./node-actions.tsx";
import { NodeCapacity } from "./node-capacity.tsx";
import { NodeHealth } from "./node-health.tsx";

export function NodeTable({ nodes }: { nodes: NodeReport[] }) {
  return (
    <Table label="Nodes">
      <TableHeader>
        <TableRow>
          <TableHead>State</TableHead>
          <TableHead>Name</TableHead>
          <TableHead>Zone</TableHead>
          <TableHead>Address</TableHead>
          <TableHead>Capacity</TableHead>
          <TableHead numeric>Chunks</TableHead>
          <TableHead numeric>Heartbeat</TableHead>
          <TableHead>
            <span className="sr-only">Actions</span>
          </TableHead>
        </TableRow>
      </TableHeader>
      <tbody>
        {nodes.map((node) => (
          <TableRow key={node.id}>
            <TableCell>
              <NodeHealth node={node} />
            </TableCell>
            <TableCell>
              <Link href={`/nodes/${node.id}`} className="rounded-md font-medium underline-offset-4 hover:underline">
                {node.name}
              </Link>
            </TableCell>
            <TableCell>{node.zone}</TableCell>
            <TableCell className="font-mono text-sm">
              {node.host}:{node.port}
            </TableCell>
            <TableCell className="w-56 py-2">
              <NodeCapacity node={node} />
            </TableCell>
            <TableCell numeric>{node.chunkCount.toLocaleString("en")}</TableCell>
            <TableCell numeric>
              <Age at={node.lastSeenAt} />
            </TableCell>
            <TableCell>
              <NodeActions node={node} />
            </TableCell>
          </TableRow>
        ))}
      </tbody>
    </Table>
  );
}
