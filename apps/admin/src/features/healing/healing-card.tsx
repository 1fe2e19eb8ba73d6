"use client";
import type { ClusterReport } from "@holdfast/core/cluster-state";
import { Card, CardHeader, Skeleton } from "@holdfast/ui";
import { HealingControls } from "./healing-controls.tsx";
import { RebalanceLine } from "./rebalance-line.tsx";
import { isOpen } from "./work.ts";
import { WorkLine } from "./work-line.tsx";

/** Is it getting safer: what is being copied, why, and how long it will take. What is done stays for a while, to be read. */
export function HealingCard({ cluster }: { cluster: ClusterReport | undefined }) {
  const repairs = cluster?.repairs ?? [];
  const rebalances = cluster?.rebalances ?? [];
  const open = [...repairs, ...rebalances].filter(isOpen).length;
  const nothing = repairs.length + rebalances.length === 0;
  return (
    <Card>
      <CardHeader title="Healing" description={open === 0 ? "Repairs and moves of copies" : `${open} under way`}>
        {cluster && <HealingControls healing={cluster.healing} />}
      </CardHeader>
      {cluster === undefined && <Skeleton className="m-4 h-20" />}
      {cluster && nothing && <p className="px-4 py-4 text-ink-muted">Nothing to repair and nothing to move.</p>}
      <ul className="divide-y">
        {repairs.map((repair) => (
          <WorkLine key={`repair-${repair.id}`} title="Repair" work={repair} />
        ))}
        {rebalances.map((rebalance) => (
          <RebalanceLine key={`rebalance-${rebalance.id}`} rebalance={rebalance} nodes={cluster?.nodes ?? []} />
        ))}
      </ul>
    </Card>
  );
}
