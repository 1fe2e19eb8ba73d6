import { listUnfinishedUploads } from "@holdfast/core/drive";
import { router, userProcedure } from "./trpc.ts";

/** What can be resumed; the bytes themselves travel by tus. */
export const uploadsRouter = router({
  unfinished: userProcedure.query(({ ctx }) => listUnfinishedUploads(ctx.pool, ctx.actor)),
});
