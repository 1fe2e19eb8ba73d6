"use client";
import { AccountMenu as Menu, formatBytes, signOut, toast } from "@holdfast/ui";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useUploads } from "../uploads/use-uploads.ts";
import { useAccount } from "./use-account.ts";

export function AccountMenu() {
  const account = useAccount();
  const leave = useSignOut();
  return (
    <Menu account={account} onSignOut={() => void leave()}>
      <span className="figures text-sm text-ink-muted">{formatBytes(account?.usedBytes ?? 0)} used</span>
    </Menu>
  );
}

/** Uploads stop with the session they belong to; what was kept of them can be resumed later. */
function useSignOut(): () => Promise<void> {
  const router = useRouter();
  const queryClient = useQueryClient();
  const uploads = useUploads();

  return async () => {
    if (!(await signOut())) {
      toast.error("You are still signed in: Holdfast does not answer. Try again in a moment.");
      return;
    }
    uploads.queue.stop();
    queryClient.clear();
    router.replace("/sign-in");
  };
}
