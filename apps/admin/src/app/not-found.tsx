import { buttonStyles, EmptyState } from "@holdfast/ui";
import { Compass } from "lucide-react";
import Link from "next/link";

export default function NotFound() {
  return (
    <EmptyState
      icon={<Compass />}
      heading="h1"
      title="There is no page here"
      actions={
        <Link href="/" className={buttonStyles({ look: "primary" })}>
          Go to the overview
        </Link>
      }
    >
      The address may be mistyped, or the page has moved.
    </EmptyState>
  );
}
