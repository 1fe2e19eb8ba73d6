import type { Metadata } from "next";
import { HistoryPanel } from "../../features/history/history-panel.tsx";
import { parseSpan } from "../../features/history/spans.ts";
import { Page } from "../../features/shell/page.tsx";

export const metadata: Metadata = { title: "History" };

export default async function HistoryPage({ searchParams }: { searchParams: Promise<{ span?: string | string[] }> }) {
  return (
    <Page title="History">
      <HistoryPanel span={parseSpan((await searchParams).span)} path="/history" />
    </Page>
  );
}
