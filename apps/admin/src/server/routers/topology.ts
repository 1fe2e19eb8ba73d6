/** Changes of the cluster's shape: shown first, then applied, then watched over. */
import { placementPolicies } from "@holdfast/core/placement";
import { applyChange, cancelRebalance, pauseRebalance, previewChange, resumeRebalance, throttleRebalance } from "@holdfast/core/topology";
import { z } from "zod";
import type { Actor } from "@holdfast/core/drive";
import { requireConfirmedAdmin } from "../access.ts";
import type { Services } from "../services.ts";
import { adminProcedure, router } from "./trpc.ts";

const nodeId = z.int().min(1).max(32_767);
const rebalance = z.strictObject({ id: z.int().positive() });

const change = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("drain"), nodeId }),
  z.strictObject({ kind: z.literal("remove"), nodeId }),
  z.strictObject({ kind: z.literal("activate"), nodeId }),
  z.strictObject({ kind: z.literal("maintenance"), nodeId, value: z.int().positive().optional() }),
  z.strictObject({ kind: z.literal("weight"), nodeId, value: z.number() }),
  z.strictObject({ kind: z.literal("zone"), nodeId, value: z.string() }),
  z.strictObject({ kind: z.literal("spread") }),
  z.strictObject({ kind: z.literal("copies"), value: z.number() }),
  z.strictObject({ kind: z.literal("policy"), value: z.enum(placementPolicies) }),
]);

/** They take a node out of service: the password must have been given lately. */
const DANGEROUS: ReadonlySet<z.infer<typeof change>["kind"]> = new Set(["drain", "remove"]);

export const topologyRouter = router({
  preview: adminProcedure
    .input(change)
    .query(({ ctx, input }) => previewChange(ctx.pool, input, { ...ctx.services.settings, now: new Date() })),
  change: adminProcedure.input(change).mutation(async ({ ctx, input }) => {
    if (DANGEROUS.has(input.kind)) await requireConfirmedAdmin(ctx.services.accounts, ctx.headers);
    const applied = await applyChange(input, { ...ctx.services.settings, ...by(ctx), pool: ctx.pool, now: new Date() });
    if (input.kind === "remove") await ctx.services.simulation.retireNode(input.nodeId);
    return applied;
  }),
  pause: adminProcedure.input(rebalance).mutation(({ ctx, input }) => pauseRebalance(input.id, by(ctx))),
  resume: adminProcedure.input(rebalance).mutation(({ ctx, input }) => resumeRebalance(input.id, by(ctx))),
  cancel: adminProcedure.input(rebalance).mutation(({ ctx, input }) => cancelRebalance(input.id, by(ctx))),
  throttle: adminProcedure
    .input(rebalance.extend({ bytesPerSecond: z.int().min(1).nullable() }))
    .mutation(({ ctx, input }) => throttleRebalance(input.id, input.bytesPerSecond, by(ctx))),
});

function by({ services, actor }: { services: Services; actor: Actor }) {
  return { leadership: services.controller.leadership, actorId: actor.userId };
}
