import { readProfile } from "@holdfast/core/accounts";
import { router, userProcedure } from "./trpc.ts";

/** Whoever is signed in. */
export const accountRouter = router({
  me: userProcedure.query(async ({ ctx }) => ({
    ...(await readProfile(ctx.pool, ctx.actor)),
    trashKeepDays: ctx.services.trashKeepDays,
  })),
});
