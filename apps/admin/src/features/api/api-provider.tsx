"use client";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import { type ReactNode, useState } from "react";
import superjson from "superjson";
import type { AppRouter } from "../../server/routers/index.ts";
import { isTemporary } from "./failures.ts";
import { TRPCProvider } from "./trpc.ts";

const RETRY_DELAY_MAX_MS = 5_000;

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
  const url = "/api/trpc";
  const trpcClient = createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: (operation) => operation.type === "subscription",
        true: httpSubscriptionLink({ url, transformer: superjson }),
        false: httpBatchLink({ url, transformer: superjson }),
      }),
    ],
  });
  const queryClient = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // A console is looked at when something is broken: it keeps asking for as long as it takes.
        retry: (_attempts, error) => isTemporary(error),
        retryDelay: (attempt) => Math.min(500 * 2 ** attempt, RETRY_DELAY_MAX_MS),
      },
    },
  });
  return { trpcClient, queryClient };
}
