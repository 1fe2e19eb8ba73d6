"use client";
import { Button } from "@holdfast/ui";
import { Plus } from "lucide-react";
import { useTRPC } from "../api/trpc.ts";
import { useCommand } from "../api/use-command.tsx";

/** One more node on this machine. Elsewhere a node joins by being started; it needs no button. */
export function AddNode({ className }: { className?: string }) {
  const add = useCommand(useTRPC().simulation.add.mutationOptions(), {
    said: ({ name }) => `${name} is starting. It appears here by itself.`,
  });
  return (
    <Button size="sm" busy={add.isPending} className={className} onClick={() => add.mutate()}>
      <Plus />
      {add.isPending ? "Starting a node…" : "Add a node"}
    </Button>
  );
}
