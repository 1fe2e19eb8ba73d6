import type { Metadata } from "next";
import { EventLog } from "../../features/events/event-log.tsx";
import { Page } from "../../features/shell/page.tsx";

export const metadata: Metadata = { title: "Events" };

export default function EventsPage() {
  return (
    <Page title="Events">
      <EventLog />
    </Page>
  );
}
