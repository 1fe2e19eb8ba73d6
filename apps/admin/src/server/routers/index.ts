/** The console's own API. Thin: parse, one call into the domain, return. */
import { readProfile } from "@holdfast/core/accounts";
import { type HistorySpan, HISTORY_SPANS, readCapacityHistory } from "@holdfast/core/capacity-history";
import { listEvents } from "@holdfast/core/events";
import { z } from "zod";
import { requireAdmin } from "../access.ts";
import { liveUpdates } from "../live.ts";
import { healingRouter } from "./healing.ts";
import { simulationRouter } from "./simulation.ts";
import { topologyRouter } from "./topology.ts";
import { upkeepRouter } from "./upkeep.ts";
import { adminProcedure, router } from "./trpc.ts";

export type { Context } from "./trpc.ts";

const nodeId = z.int().min(1).max(32_767);
const span = z.enum(Object.keys(HISTORY_SPANS) as [HistorySpan, ...HistorySpan[]]);

const eventsPage = z.strictObject({
  nodeId: nodeId.optional(),
  cursor: z.int().positive().optional(),
  direction: z.literal("forward").optional(), // a client that reads page by page says so
  limit: z.int().min(1).max(200).default(50),
});

export const appRouter = router({
  account: router({
    me: adminProcedure.query(({ ctx }) => readProfile(ctx.pool, ctx.actor)),
  }),
  cluster: router({
    live: adminProcedure.subscription(({ ctx, signal }) => {
      const { services, headers } = ctx;
      const ended = AbortSignal.any([services.stopping, ...(signal === undefined ? [] : [signal])]);
      return liveUpdates(services, () => requireAdmin(services.accounts, headers), ended);
    }),
    history: adminProcedure
      .input(z.strictObject({ span, nodeId: nodeId.optional() }))
      .query(({ ctx, input }) => readCapacityHistory(ctx.pool, input.span, input.nodeId)),
  }),
  healing: healingRouter,
  topology: topologyRouter,
  upkeep: upkeepRouter,
  simulation: simulationRouter,
  events: router({
    list: adminProcedure
      .input(eventsPage)
      .query(({ ctx, input }) => listEvents(ctx.pool, { nodeId: input.nodeId, before: input.cursor, limit: input.limit })),
  }),
});

export type AppRouter = typeof appRouter;
