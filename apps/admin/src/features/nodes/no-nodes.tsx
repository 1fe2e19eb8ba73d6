import { EmptyState } from "@holdfast/ui";
import { Server } from "lucide-react";

export function NoNodes() {
  return (
    <EmptyState icon={<Server />} title="No node has joined yet">
      Start one with the cluster's key and this controller's address; it appears here by itself.
    </EmptyState>
  );
}
