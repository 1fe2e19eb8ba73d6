"use client";
import { queryDefaults } from "@holdfast/ui";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import { type ReactNode, useState } from "react";
import superjson from "superjson";
import type { AppRouter } from "../../server/routers/index.ts";
import { TRPCProvider } from "./trpc.ts";

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
  const queryClient = new QueryClient({ defaultOptions: { queries: queryDefaults } });
  return { trpcClient, queryClient };
}
