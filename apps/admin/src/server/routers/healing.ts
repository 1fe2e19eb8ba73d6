/** How fast the cluster heals, and whether: an operator's word over repair and rebalance. */
import { readProfile } from "@holdfast/core/accounts";
import { pauseHealing, resumeHealing, setHealingRate } from "@holdfast/core/healing";
import { inTransaction } from "@holdfast/db";
import { z } from "zod";
import { adminProcedure, router } from "./trpc.ts";

const operatorProcedure = adminProcedure.use(async ({ ctx, next }) => {
  const { name } = await readProfile(ctx.pool, ctx.actor);
  return next({ ctx: { operator: { id: ctx.actor.userId, name } } });
});

export const healingRouter = router({
  pause: operatorProcedure.mutation(({ ctx }) => inTransaction(ctx.pool, (tx) => pauseHealing(tx, ctx.operator))),
  resume: operatorProcedure.mutation(({ ctx }) => inTransaction(ctx.pool, (tx) => resumeHealing(tx, ctx.operator))),
  setRate: operatorProcedure
    .input(z.strictObject({ bytesPerSecond: z.int().min(1).nullable() }))
    .mutation(({ ctx, input }) => inTransaction(ctx.pool, (tx) => setHealingRate(tx, ctx.operator, input.bytesPerSecond))),
});
