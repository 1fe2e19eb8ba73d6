"use client";
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import { createTRPCContext } from "@trpc/tanstack-react-query";
import type { AppRouter } from "../../server/routers/index.ts";

export const { TRPCProvider, useTRPC, useTRPCClient } = createTRPCContext<AppRouter>();

/** What each procedure answers. */
export type Answers = inferRouterOutputs<AppRouter>;

/** What each procedure is asked. */
export type Questions = inferRouterInputs<AppRouter>;
