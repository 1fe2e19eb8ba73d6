import { buttonStyles, EmptyState } from "@holdfast/ui";
import { FolderX } from "lucide-react";
import Link from "next/link";

export function MissingFolder() {
  return (
    <EmptyState
      icon={<FolderX />}
      heading="h1"
      title="This folder is not here"
      className="flex-1"
      actions={
        <Link href="/" className={buttonStyles()}>
          Go to My Drive
        </Link>
      }
    >
      It was deleted or moved to the trash, or the address is wrong.
    </EmptyState>
  );
}
