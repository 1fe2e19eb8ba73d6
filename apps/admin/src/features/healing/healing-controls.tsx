"use client";
import type { ClusterReport } from "@holdfast/core/cluster-state";
import { Button, formatRate, Menu, MenuItem } from "@holdfast/ui";
import { Gauge, Pause, Play } from "lucide-react";
import { useTRPC } from "../api/trpc.ts";
import { useCommand } from "../api/use-command.tsx";

const RATES = [null, 20e6, 100e6, 400e6];

/** Pauses and slows all healing. Chunks with one copy left are copied in spite of both. */
export function HealingControls({ healing: { paused, bytesPerSecondMax } }: { healing: ClusterReport["healing"] }) {
  const trpc = useTRPC();
  const pause = useCommand(trpc.healing.pause.mutationOptions(), {
    said: () => "Healing is paused. Chunks with one copy left are still copied.",
  });
  const resume = useCommand(trpc.healing.resume.mutationOptions(), { said: () => "Healing goes on." });
  const setRate = useCommand(trpc.healing.setRate.mutationOptions(), {
    said: (_, { bytesPerSecond }) =>
      bytesPerSecond === null ? "Healing takes what users leave it." : `Healing copies at most ${formatRate(bytesPerSecond)}.`,
  });
  const toggle = paused ? resume : pause;
  return (
    <div className="flex gap-2">
      <Menu
        align="end"
        trigger={
          <Button size="sm">
            <Gauge />
            <span className="sr-only">Speed of healing: </span>
            {rateName(bytesPerSecondMax)}
          </Button>
        }
      >
        {RATES.map((bytesPerSecond) => (
          <MenuItem key={String(bytesPerSecond)} onClick={() => setRate.mutate({ bytesPerSecond })}>
            {rateName(bytesPerSecond)}
          </MenuItem>
        ))}
      </Menu>
      <Button size="sm" busy={toggle.isPending} onClick={() => toggle.mutate()}>
        {paused ? <Play /> : <Pause />}
        {paused ? "Resume" : "Pause"}
      </Button>
    </div>
  );
}

function rateName(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? "Full speed" : formatRate(bytesPerSecond);
}
