"use client";
import { Button, Card, CardHeader } from "@holdfast/ui";
import type { ReactNode } from "react";
import type { Held } from "../../server/live.ts";
import { useTRPC } from "../api/trpc.ts";
import { useCommand } from "../api/use-command.tsx";

/** What the controller does not decide by itself; nothing is shown when it decides everything. */
export function HeldWork({ held: { safemode, garbage } }: { held: Held }) {
  const trpc = useTRPC();
  const leave = useCommand(trpc.upkeep.leaveSafemode.mutationOptions(), {
    said: () => "Safemode is over: repair, moves and clean-up begin.",
  });
  const approve = useCommand(trpc.upkeep.approveGarbageRun.mutationOptions(), { said: () => "The clean-up goes on." });
  const runs = garbage ?? [];
  if (safemode === "" && runs.length === 0) return null;
  return (
    <Card>
      <CardHeader title="Waiting" description="What would go on by itself, or on your word" />
      <ul className="divide-y">
        {safemode !== "" && (
          <HeldLine name="Safemode" why={safemode}>
            <Button size="sm" busy={leave.isPending} onClick={() => leave.mutate()}>
              Leave safemode
            </Button>
          </HeldLine>
        )}
        {runs.map(({ id, why }) => (
          <HeldLine key={id} name="Clean-up" why={why}>
            <Button size="sm" busy={approve.isPending} onClick={() => approve.mutate({ id })}>
              Let it go on
            </Button>
          </HeldLine>
        ))}
      </ul>
      {approve.confirmation}
    </Card>
  );
}

function HeldLine({ name, why, children }: { name: string; why: string; children: ReactNode }) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
      <div className="flex min-w-0 flex-1 basis-80 flex-col">
        <span className="font-medium">{name}</span>
        <span className="text-ink-muted">{why}</span>
      </div>
      {children}
    </li>
  );
}
