import { EmptyState } from "@holdfast/ui";
import { ScrollText } from "lucide-react";

export function NoEvents() {
  return (
    <EmptyState icon={<ScrollText />} title="Nothing has happened yet">
      Nodes that join, fall silent or return are noted here.
    </EmptyState>
  );
}
