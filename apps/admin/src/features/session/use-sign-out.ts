"use client";
import { signOut, toast } from "@holdfast/ui";
import { useQueryClient } from "@tanstack/react-query";

/** Forgets everything that was shown; the session gate then asks who is there, and finds nobody. */
export function useSignOut(): () => Promise<void> {
  const queryClient = useQueryClient();
  return async () => {
    if (await signOut()) await queryClient.resetQueries();
    else toast.error("You are still signed in: the console does not answer. Try again in a moment.");
  };
}
