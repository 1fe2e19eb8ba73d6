"use client";
import { useQuery } from "@tanstack/react-query";
import { type Answers, useTRPC } from "../api/trpc.ts";

export type Account = Answers["account"]["me"];

/** Who is signed in; undefined until that is known. */
export function useAccount(): Account | undefined {
  return useAccountQuery().data;
}

export function useAccountQuery() {
  return useQuery({ ...useTRPC().account.me.queryOptions(), staleTime: 30_000 });
}

/** For what the session gate shows only to somebody signed in. */
export function useSignedInAccount(): Account {
  const account = useAccount();
  if (account === undefined) throw new Error("this part of the page needs the session gate around it");
  return account;
}
