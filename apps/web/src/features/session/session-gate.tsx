"use client";
import { isSignedOut } from "@holdfast/ui";
import { usePathname, useRouter } from "next/navigation";
import { type ReactNode, useEffect } from "react";
import { FolderSkeleton } from "../entries/folder-skeleton.tsx";
import { PageFault } from "../shell/page-fault.tsx";
import { signInPath } from "./return-path.ts";
import { useAccountQuery } from "./use-account.ts";

/** Shows its children to somebody signed in, and leads everybody else to sign-in and back. */
export function SessionGate({ children }: { children: ReactNode }) {
  const account = useAccountQuery();
  const router = useRouter();
  const pathname = usePathname();
  const signedOut = isSignedOut(account.error);

  useEffect(() => {
    if (signedOut) router.replace(signInPath(pathname));
  }, [signedOut, router, pathname]);

  if (signedOut) return <FolderSkeleton />;
  if (account.data) return children;
  if (account.error) return <PageFault onRetry={() => void account.refetch()} />;
  return <FolderSkeleton />;
}
