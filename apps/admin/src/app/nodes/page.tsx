import type { Metadata } from "next";
import { NodesPanel } from "../../features/nodes/nodes-panel.tsx";
import { Page } from "../../features/shell/page.tsx";

export const metadata: Metadata = { title: "Nodes" };

export default function NodesPage() {
  return (
    <Page title="Nodes">
      <NodesPanel />
    </Page>
  );
}
