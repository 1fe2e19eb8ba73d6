/** The app's own API. Thin: parse, one call into the domain, return. */
import { accountRouter } from "./account.ts";
import { entriesRouter } from "./entries.ts";
import { setupRouter } from "./setup.ts";
import { router } from "./trpc.ts";
import { uploadsRouter } from "./uploads.ts";

export { type Context, createContext, type Services } from "./trpc.ts";

export const appRouter = router({
  setup: setupRouter,
  account: accountRouter,
  entries: entriesRouter,
  uploads: uploadsRouter,
});

export type AppRouter = typeof appRouter;
