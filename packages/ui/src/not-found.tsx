import { Compass } from "lucide-react";
import type { ReactNode } from "react";
import { EmptyState } from "./empty-state.tsx";

/** What stands at an address without a page. `home` is the link to where there is one. */
export function NotFound({ home }: { home: ReactNode }) {
  return (
    <EmptyState icon={<Compass />} heading="h1" title="There is no page here" actions={home}>
      The address may be mistyped, or the page has moved.
    </EmptyState>
  );
}
