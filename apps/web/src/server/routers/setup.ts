import { z } from "zod";
import { openProcedure, router } from "./trpc.ts";

const owner = z.strictObject({
  name: z.string().max(200),
  email: z.string().max(320),
  password: z.string().max(1_000),
  code: z.string().max(100).optional(),
});

/** The first visit: making the owner. */
export const setupRouter = router({
  state: openProcedure.query(({ ctx }) => ctx.services.accounts.setupState(ctx.peer)),

  /** Does not sign in: the caller does that next, with the same password. */
  createOwner: openProcedure.input(owner).mutation(({ ctx, input }) => ctx.services.accounts.createOwner(input, ctx.peer)),
});
