"use client";
import { isSignedOut, queryDefaults } from "@holdfast/ui";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import { createTRPCOptionsProxy } from "@trpc/tanstack-react-query";
import { type ReactNode, useState } from "react";
import superjson from "superjson";
import type { AppRouter } from "../../server/routers/index.ts";
import { connectionLink } from "./connection.ts";
import { TRPCProvider } from "./trpc.ts";

/** Longer addresses are refused by common proxies; a batch that would pass this is split. */
const URL_LENGTH_MAX = 8_000;

export function ApiProvider({ children }: { children: ReactNode }) {
  const [{ trpcClient, queryClient }] = useState(createApi);
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider trpcClient={trpcClient} queryClient={queryClient}>
        {children}
      </TRPCProvider>
    </QueryClientProvider>
  );
}

function createApi() {
  const trpcClient = createTRPCClient<AppRouter>({
    links: [connectionLink, httpBatchLink({ url: "/api/trpc", transformer: superjson, maxURLLength: URL_LENGTH_MAX })],
  });
  const queryClient: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: noticeSignOut }),
    mutationCache: new MutationCache({ onError: noticeSignOut }),
    defaultOptions: {
      queries: queryDefaults,
      // A change that cannot be made now is refused now: nobody wants it to happen minutes later.
      mutations: { networkMode: "always" },
    },
  });
  const { account } = createTRPCOptionsProxy<AppRouter>({ client: trpcClient, queryClient });

  /** Asking who is signed in again makes the session gate lead to sign-in. */
  function noticeSignOut(error: unknown): void {
    const accountKey = account.me.queryKey();
    if (isSignedOut(error) && queryClient.getQueryState(accountKey)?.status === "success") {
      void queryClient.invalidateQueries({ queryKey: accountKey });
    }
  }
  return { trpcClient, queryClient };
}
