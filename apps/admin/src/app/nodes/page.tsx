import type { Metadata } from "next";
import { AddNode } from "../../features/nodes/add-node.tsx";
import { NodesPanel } from "../../features/nodes/nodes-panel.tsx";
import { Page } from "../../features/shell/page.tsx";

export const metadata: Metadata = { title: "Nodes" };

export default function NodesPage() {
  return (
    <Page title="Nodes" aside={<AddNode className="ml-auto" />}>
      <NodesPanel />
    </Page>
  );
}
