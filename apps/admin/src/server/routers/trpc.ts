/** The base of every procedure. There is only one kind: for admins. */
import type { IncomingHttpHeaders } from "node:http";
import type { SimulationErrorCode } from "@holdfast/core/fault-simulation";
import type { GarbageErrorCode } from "@holdfast/core/garbage-collection";
import { type HttpEdgeErrorCode } from "@holdfast/core/http-edge";
import { SECOND_MS } from "@holdfast/core/kernel";
import type { LeadershipErrorCode } from "@holdfast/core/leadership";
import type { TopologyErrorCode } from "@holdfast/core/topology";
import { publicError, publicShape, quickTransformer } from "@holdfast/core/trpc-edge";
import { initTRPC, type TRPC_ERROR_CODE_KEY } from "@trpc/server";
import superjson from "superjson";
import { requireAdmin, requireConfirmedAdmin } from "../access.ts";
import type { Services } from "../services.ts";

export interface Context {
  services: Services;
  headers: IncomingHttpHeaders;
}

type Codes = Record<SimulationErrorCode | TopologyErrorCode | LeadershipErrorCode | GarbageErrorCode, TRPC_ERROR_CODE_KEY>;

const CODES: Partial<Record<HttpEdgeErrorCode, TRPC_ERROR_CODE_KEY>> & Codes = {
  "auth.required": "UNAUTHORIZED",
  "auth.forbidden": "FORBIDDEN",
  "auth.unconfirmed": "FORBIDDEN",
  "simulation.off": "FORBIDDEN",
  "simulation.invalid": "BAD_REQUEST",
  "simulation.last_copy": "CONFLICT",
  "simulation.only_embedded": "CONFLICT",
  "simulation.conflict": "CONFLICT",
  "simulation.no_such_node": "NOT_FOUND",
  "simulation.failed": "BAD_GATEWAY",
  "topology.refused": "CONFLICT",
  "rebalance.not_open": "NOT_FOUND",
  "garbage.not_braked": "CONFLICT",
  "leader.not_us": "SERVICE_UNAVAILABLE",
};

const t = initTRPC.context<Context>().create({
  transformer: quickTransformer(superjson),
  errorFormatter: publicShape,
  sse: { ping: { enabled: true, intervalMs: 5 * SECOND_MS }, client: { reconnectAfterInactivityMs: 12 * SECOND_MS } },
});

export const { router } = t;

const procedure = t.procedure.use(async ({ ctx, path, next }) => {
  const result = await next();
  if (!result.ok) throw publicError(result.error, CODES, ctx.services.logger.child({ path }));
  return result;
});

/** Authorises before anything else; `ctx.actor` is an admin. */
export const adminProcedure = procedure.use(async ({ ctx, next }) => {
  const actor = await requireAdmin(ctx.services.accounts, ctx.headers);
  return next({ ctx: { actor, pool: ctx.services.database.pool } });
});

/** For what cannot be undone, or breaks something on purpose: `ctx.actor` is an admin who gave the password lately. */
export const dangerousProcedure = procedure.use(async ({ ctx, next }) => {
  const actor = await requireConfirmedAdmin(ctx.services.accounts, ctx.headers);
  return next({ ctx: { actor, pool: ctx.services.database.pool } });
});
