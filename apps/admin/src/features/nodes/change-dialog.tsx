"use client";
import type { NodeReport } from "@holdfast/core/cluster-state";
import { Button, Dialog, DialogActions, Field, Skeleton, wordsFor } from "@holdfast/ui";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Answers, type Questions, useTRPC } from "../api/trpc.ts";
import { useCommand } from "../api/use-command.tsx";
import { Refusal } from "../shell/refusal.tsx";
import { Preview } from "./preview.tsx";

export type ChangeKind = "drain" | "remove" | "maintenance" | "activate";

type Change = Questions["topology"]["change"];

const MINUTES = 30;

const WORDS: Record<ChangeKind, { title: (name: string) => string; what: string; act: string }> = {
  drain: {
    title: (name) => `Drain ${name}`,
    what: "Every copy it holds is made elsewhere and checked there. It goes on serving meanwhile.",
    act: "Drain",
  },
  remove: {
    title: (name) => `Remove ${name}`,
    what: "It leaves the cluster for good. Nothing on its disk is erased.",
    act: "Remove",
  },
  maintenance: {
    title: (name) => `Maintenance of ${name}`,
    what: "It may be away for a while without any repair. Maintenance ends by itself.",
    act: "Begin maintenance",
  },
  activate: {
    title: (name) => `Take ${name} back into service`,
    what: "It takes new chunks again.",
    act: "Take back",
  },
};

interface ChangeDialogProps {
  node: NodeReport;
  kind: ChangeKind;
  onClose: () => void;
}

/** A change of the topology: what it would do first, then whether to do it. */
export function ChangeDialog({ node, kind, onClose }: ChangeDialogProps) {
  const { title, what, act } = WORDS[kind];
  const [minutes, setMinutes] = useState(MINUTES);
  const [typedName, setTypedName] = useState("");
  const trpc = useTRPC();
  const change: Change = kind === "maintenance" ? { kind, nodeId: node.id, value: minutes } : { kind, nodeId: node.id };
  const preview = useQuery(trpc.topology.preview.queryOptions(change));
  const apply = useCommand(trpc.topology.change.mutationOptions(), {
    said: () => `${title(node.name)}: begun.`,
    onDone: onClose,
    showsRefusal: true,
  });
  const confirmed = kind !== "remove" || typedName === node.name;
  return (
    <Dialog open onClose={onClose} title={title(node.name)} description={what}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          apply.mutate(change);
        }}
      >
        {kind === "maintenance" && (
          <Field
            label="For how many minutes"
            type="number"
            min={1}
            max={24 * 60}
            value={minutes}
            onChange={(event) => setMinutes(Number(event.currentTarget.value))}
            required
          />
        )}
        <Consequences preview={preview.data} failure={preview.error === null ? undefined : wordsFor(preview.error)} />
        {kind === "remove" && (
          <Field
            label={`Type ${node.name} to remove it`}
            autoComplete="off"
            value={typedName}
            onChange={(event) => setTypedName(event.currentTarget.value)}
          />
        )}
        <Refusal words={apply.refusal} />
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look={kind === "remove" ? "danger" : "primary"}
            busy={apply.isPending}
            disabled={preview.data?.allowed !== true || !confirmed}
          >
            {act}
          </Button>
        </DialogActions>
      </form>
      {apply.confirmation}
    </Dialog>
  );
}

function Consequences({ preview, failure }: { preview: Answers["topology"]["preview"] | undefined; failure: string | undefined }) {
  if (preview !== undefined) return <Preview preview={preview} />;
  return failure === undefined ? <Skeleton className="h-20" /> : <Refusal words={failure} />;
}
