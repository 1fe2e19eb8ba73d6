import { readProfile } from "@holdfast/core/accounts";
import { router, userProcedure } from "./trpc.ts";

/** Whoever is signed in. */
export const accountRouter = router({
  me: userProcedure.query(({ ctx }) => readProfile(ctx.pool, ctx.actor)),
});
