"use client";
import { useParams } from "next/navigation";
import { useAccount } from "../session/use-account.ts";

/** Where new things go: the folder of the page, or the root where the page has none. Undefined until that is known. */
export function useCurrentFolderId(): string | undefined {
  const account = useAccount();
  const { id } = useParams<{ id?: string }>();
  return id ?? account?.rootId;
}
