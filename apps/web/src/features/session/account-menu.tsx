"use client";
import { Avatar, formatBytes, Menu, MenuItem, MenuSeparator, Skeleton, toast } from "@holdfast/ui";
import { useQueryClient } from "@tanstack/react-query";
import { LogOut } from "lucide-react";
import { useRouter } from "next/navigation";
import { useUploads } from "../uploads/use-uploads.ts";
import { signOut } from "./auth-requests.ts";
import { useAccount } from "./use-account.ts";

export function AccountMenu() {
  const account = useAccount();
  const leave = useSignOut();
  if (!account) return <Skeleton className="m-1 size-7 rounded-full" />;

  return (
    <Menu
      align="end"
      trigger={
        <button
          type="button"
          aria-label={`Account of ${account.name}`}
          className="rounded-full p-1 transition-colors hover:bg-hover data-popup-open:bg-hover"
        >
          <Avatar name={account.name} />
        </button>
      }
    >
      <div className="flex flex-col px-2 py-1.5">
        <span className="font-medium">{account.name}</span>
        <span className="text-sm text-ink-muted">{account.email}</span>
        <span className="figures text-sm text-ink-muted">{formatBytes(account.usedBytes)} used</span>
      </div>
      <MenuSeparator />
      <MenuItem icon={<LogOut />} onClick={() => void leave()}>
        Sign out
      </MenuItem>
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
