"use client";
import type { NodeReport } from "@holdfast/core/cluster-state";
import type { SimulatedFault } from "@holdfast/core/fault-simulation";
import { Button, Dialog, DialogActions, Field } from "@holdfast/ui";
import { useState } from "react";
import { useTRPC } from "../api/trpc.ts";
import { useCommand } from "../api/use-command.tsx";
import { Choice } from "../shell/choice.tsx";
import { Refusal } from "../shell/refusal.tsx";

type Kind = SimulatedFault["kind"];

const KINDS: { kind: Kind; name: string; what: string }[] = [
  { kind: "kill", name: "Kill", what: "The process is killed and stays away." },
  { kind: "pause", name: "Pause", what: "The process stands still: it takes connections and answers nothing." },
  { kind: "partition", name: "Cut off", what: "It runs, but nobody can reach it." },
  { kind: "slow", name: "Slow", what: "Every answer takes half a second longer." },
  { kind: "disk-full", name: "Disk full", what: "It takes no new chunks." },
  { kind: "corrupt", name: "Flip bits", what: "One bit is flipped in ten of its chunks. Other copies are whole." },
  { kind: "clone", name: "Clone", what: "A second process starts from a copy of its disk. It must be refused." },
];

const SECONDS = 60;
const SECONDS_MAX = 3_600;

/** Breaks a node on purpose, for a while. The server refuses whatever could cost a last good copy. */
export function FaultDialog({ node, onClose }: { node: NodeReport; onClose: () => void }) {
  const [kind, setKind] = useState<Kind>("kill");
  const simulate = useCommand(useTRPC().simulation.simulate.mutationOptions(), {
    said: () => `${node.name}: the fault has begun. It ends by itself.`,
    onDone: onClose,
    showsRefusal: true,
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Simulate a fault on ${node.name}`}
      description="It happens for real, ends by itself, and stands in the event log with your name."
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const seconds = Number(new FormData(event.currentTarget).get("seconds"));
          simulate.mutate({ nodeId: node.id, fault: faultOf(kind, seconds) });
        }}
      >
        <Choice
          label="Fault"
          name="kind"
          value={kind}
          options={KINDS.map(({ kind: value, name, what }) => ({ value, name, what }))}
          onChange={setKind}
        />
        <Field label="For how many seconds" name="seconds" type="number" min={1} max={SECONDS_MAX} defaultValue={SECONDS} required />
        <Refusal words={simulate.refusal} />
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="danger" busy={simulate.isPending}>
            Simulate
          </Button>
        </DialogActions>
      </form>
      {simulate.confirmation}
    </Dialog>
  );
}

function faultOf(kind: Kind, seconds: number): SimulatedFault {
  switch (kind) {
    case "slow":
      return { kind, seconds, latencyMs: 500 };
    case "corrupt":
      return { kind, seconds, chunks: 10 };
    default:
      return { kind, seconds };
  }
}
