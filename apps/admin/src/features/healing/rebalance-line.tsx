"use client";
import type { ClusterReport } from "@holdfast/core/cluster-state";
import { Button } from "@holdfast/ui";
import { useTRPC } from "../api/trpc.ts";
import { useCommand } from "../api/use-command.tsx";
import { isOpen } from "./work.ts";
import { WorkLine } from "./work-line.tsx";

type Rebalance = ClusterReport["rebalances"][number];

export function RebalanceLine({ rebalance, nodes }: { rebalance: Rebalance; nodes: ClusterReport["nodes"] }) {
  const trpc = useTRPC();
  const pause = useCommand(trpc.topology.pause.mutationOptions(), { said: () => "Paused. What was moved stays where it is." });
  const resume = useCommand(trpc.topology.resume.mutationOptions(), { said: () => "It goes on." });
  const cancel = useCommand(trpc.topology.cancel.mutationOptions(), { said: () => "Cancelled. What was moved stays where it is." });
  const { id, state } = rebalance;
  const toggle = state === "paused" ? resume : pause;
  return (
    <WorkLine title={titleOf(rebalance, nodes)} work={rebalance}>
      {isOpen(rebalance) && (
        <>
          <Button size="sm" busy={toggle.isPending} onClick={() => toggle.mutate({ id })}>
            {state === "paused" ? "Resume" : "Pause"}
          </Button>
          <Button size="sm" busy={cancel.isPending} onClick={() => cancel.mutate({ id })}>
            Cancel
          </Button>
        </>
      )}
    </WorkLine>
  );
}

const VERBS: Record<Rebalance["kind"], (node: string) => string> = {
  spread: () => "Spread the copies",
  drain: (node) => `Drain ${node}`,
  remove: (node) => `Remove ${node}`,
};

function titleOf({ kind, nodeId }: Rebalance, nodes: ClusterReport["nodes"]): string {
  return VERBS[kind](nodes.find(({ id }) => id === nodeId)?.name ?? `node ${nodeId}`);
}
