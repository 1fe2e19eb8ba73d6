/** What the controller does not decide by itself: whether to go on in spite of safemode or of a brake. */
import { approveGarbageRun } from "@holdfast/core/garbage-collection";
import { z } from "zod";
import { adminProcedure, dangerousProcedure, router } from "./trpc.ts";

export const upkeepRouter = router({
  leaveSafemode: adminProcedure.mutation(({ ctx }) => ctx.services.controller.safemode.leave(ctx.actor)),
  approveGarbageRun: dangerousProcedure
    .input(z.strictObject({ id: z.int().positive() }))
    .mutation(({ ctx, input }) => approveGarbageRun(ctx.pool, input.id, ctx.actor)),
});
