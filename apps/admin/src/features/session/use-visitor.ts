"use client";
import { isForbidden, isSignedOut } from "@holdfast/ui";
import { useQuery } from "@tanstack/react-query";
import { type Answers, useTRPC, useTRPCClient } from "../api/trpc.ts";

/** Who is at the screen. To be nobody is an answer and not a failure: only the network or the server can fail here. */
export type Visitor = { kind: "admin"; account: Answers["account"]["me"] } | { kind: "user" } | { kind: "nobody" };

export function useVisitor() {
  const client = useTRPCClient();
  const queryKey = useTRPC().account.me.queryKey();
  return useQuery({
    queryKey,
    staleTime: Infinity,
    queryFn: (): Promise<Visitor> =>
      client.account.me.query().then(
        (account) => ({ kind: "admin", account }),
        (error: unknown) => {
          if (isSignedOut(error)) return { kind: "nobody" };
          if (isForbidden(error)) return { kind: "user" };
          throw error;
        },
      ),
  });
}
