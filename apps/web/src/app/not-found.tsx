import { buttonStyles, EmptyState } from "@holdfast/ui";
import { Compass } from "lucide-react";
import type { Metadata } from "next";
import Link from "next/link";

export const metadata: Metadata = { title: "Not found" };

export default function NotFound() {
  return (
    <main className="flex min-h-dvh items-center justify-center">
      <EmptyState
        icon={<Compass />}
        heading="h1"
        title="There is no page here"
        actions={
          <Link href="/" className={buttonStyles({ look: "primary" })}>
            Go to My Drive
          </Link>
        }
      >
        The address may be mistyped, or the page has moved.
      </EmptyState>
    </main>
  );
}
