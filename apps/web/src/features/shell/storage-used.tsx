"use client";
import { CapacityBar, Skeleton } from "@holdfast/ui";
import { useAccount } from "../session/use-account.ts";

export function StorageUsed({ className }: { className?: string }) {
  const account = useAccount();
  return (
    <section aria-label="Storage" className={className}>
      {account ? (
        <CapacityBar label="Storage used" usedBytes={account.usedBytes} totalBytes={account.quotaBytes} />
      ) : (
        <Skeleton className="h-5 w-24" />
      )}
    </section>
  );
}
