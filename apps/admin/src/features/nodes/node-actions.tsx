"use client";
import type { NodeReport } from "@holdfast/core/cluster-state";
import { Button, Menu, MenuItem, MenuSeparator } from "@holdfast/ui";
import { ChevronDown, HeartPulse, PackageMinus, Play, Trash2, Wrench, Zap } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTRPC } from "../api/trpc.ts";
import { useCommand } from "../api/use-command.tsx";
import { ChangeDialog } from "./change-dialog.tsx";
import { FaultDialog } from "./fault-dialog.tsx";

type Question = "fault" | "drain" | "remove" | "maintenance" | "activate";

/** What an operator can do to one node. Whatever moves copies shows first what it would do. */
export function NodeActions({ node }: { node: NodeReport }) {
  const [question, setQuestion] = useState<Question>();
  const recover = useCommand(useTRPC().simulation.recover.mutationOptions(), {
    said: () => `${node.name} is let off whatever was simulated.`,
  });
  const close = (): void => setQuestion(undefined);
  const ask = (kind: Question, icon: ReactNode, label: string, danger = false): ReactNode => (
    <MenuItem icon={icon} danger={danger} onClick={() => setQuestion(kind)}>
      {label}
    </MenuItem>
  );
  return (
    <>
      <Menu
        align="end"
        trigger={
          <Button size="sm" aria-label={`Actions for ${node.name}`}>
            Actions
            <ChevronDown />
          </Button>
        }
      >
        {node.intent === "active" ? (
          <>
            {ask("maintenance", <Wrench />, "Maintenance…")}
            {ask("drain", <PackageMinus />, "Drain…")}
          </>
        ) : (
          ask("activate", <Play />, "Take back into service…")
        )}
        {ask("remove", <Trash2 />, "Remove…", true)}
        <MenuSeparator />
        {ask("fault", <Zap />, "Simulate a fault…")}
        <MenuItem icon={<HeartPulse />} onClick={() => recover.mutate({ nodeId: node.id })}>
          Recover
        </MenuItem>
      </Menu>
      {question === "fault" && <FaultDialog node={node} onClose={close} />}
      {question !== undefined && question !== "fault" && <ChangeDialog node={node} kind={question} onClose={close} />}
    </>
  );
}
