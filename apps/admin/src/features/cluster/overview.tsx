"use client";
import { EventsCard } from "../events/events-card.tsx";
import { HealingCard } from "../healing/healing-card.tsx";
import { HeldWork } from "../healing/held-work.tsx";
import { useLive } from "../live/live-provider.tsx";
import { NodesCard } from "../nodes/nodes-card.tsx";
import { CopiesCard } from "./copies-card.tsx";
import { Headline } from "./headline.tsx";
import { StorageCard } from "./storage-card.tsx";

/** One screen: is my data safe, and what happened. */
export function Overview() {
  const live = useLive();
  return (
    <div className="mx-auto flex max-w-6xl flex-col gap-5 px-4 py-5 sm:px-6 sm:py-6">
      <Headline cluster={live?.cluster} />
      {live && <HeldWork held={live.held} />}
      <div className="grid gap-4 lg:grid-cols-2">
        <CopiesCard cluster={live?.cluster} />
        <StorageCard cluster={live?.cluster} />
        <HealingCard cluster={live?.cluster} />
        <NodesCard nodes={live?.cluster.nodes} />
        <div className="lg:col-span-2">
          <EventsCard />
        </div>
      </div>
    </div>
  );
}
