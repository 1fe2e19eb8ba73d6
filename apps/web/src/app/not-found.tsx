import { buttonStyles, NotFound } from "@holdfast/ui";
import type { Metadata } from "next";
import Link from "next/link";

export const metadata: Metadata = { title: "Not found" };

export default function NotFoundPage() {
  const home = (
    <Link href="/" className={buttonStyles({ look: "primary" })}>
      Go to My Drive
    </Link>
  );
  return (
    <main className="flex min-h-dvh items-center justify-center">
      <NotFound home={home} />
    </main>
  );
}
