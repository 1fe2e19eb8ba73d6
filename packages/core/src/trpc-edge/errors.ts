/**
 * What an error says to a caller of a tRPC procedure: the same for the Drive and the console.
 *
 * Each app passes an exhaustive table from the codes of the domains it uses to tRPC's. On the wire, `data.code` is the
 * domain's stable code (`entry.name_taken`) where there is one, tRPC's own (`UNAUTHORIZED`, `BAD_REQUEST`) otherwise, and
 * `data.details` holds the facts beside the sentence. Anything unknown is logged whole and told as "internal".
 *
 *     const t = initTRPC.context<Context>().create({ transformer: superjson, errorFormatter: publicShape });
 *     const procedure = t.procedure.use(async ({ ctx, path, next }) => {
 *       const result = await next();
 *       if (!result.ok) throw publicError(result.error, CODES, ctx.logger.child({ path }));
 *       return result;
 *     });
 */
import { TRPCError, type TRPC_ERROR_CODE_KEY, type TRPCDefaultErrorShape } from "@trpc/server";
import { z } from "zod";
import { isDatabaseUnavailable } from "../http-edge/index.ts";
import { DomainError, type Logger } from "../kernel/index.ts";

/** The error to answer with. */
export function publicError(error: TRPCError, codes: Readonly<Record<string, TRPC_ERROR_CODE_KEY>>, logger: Logger): TRPCError {
  const { cause } = error;
  if (isDatabaseUnavailable(cause)) {
    logger.warn({ err: cause }, "the database is unavailable");
    const message = "The database does not answer right now. Nothing is lost; try again in a moment.";
    return new TRPCError({ code: "SERVICE_UNAVAILABLE", message, cause });
  }
  const code = cause instanceof DomainError ? codes[cause.code] : undefined;
  if (cause instanceof DomainError && code !== undefined) return new TRPCError({ code, message: cause.message, cause });
  if (error.code !== "INTERNAL_SERVER_ERROR") return error;
  logger.error({ err: cause ?? error }, "internal error");
  return error;
}

const INTERNAL_MESSAGE = "Something went wrong on our side. The server's log says what.";

export interface PublicErrorData {
  /** Stable; decide by it. */
  code: string;
  httpStatus: number;
  path?: string;
  details: Readonly<Record<string, unknown>>;
}

/** tRPC's `errorFormatter`. Never sends a stack. */
export function publicShape({ shape, error }: { shape: TRPCDefaultErrorShape; error: TRPCError }): {
  code: number;
  message: string;
  data: PublicErrorData;
} {
  const { code, httpStatus, path } = shape.data;
  const told = { httpStatus, ...(path === undefined ? {} : { path }) };
  if (error.cause instanceof DomainError) {
    return { ...shape, data: { ...told, code: error.cause.code, details: error.cause.details } };
  }
  if (error.cause instanceof z.ZodError) {
    const issues = error.cause.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message }));
    return { ...shape, message: "This request is not understood.", data: { ...told, code, details: { issues } } };
  }
  const message = code === "INTERNAL_SERVER_ERROR" ? INTERNAL_MESSAGE : shape.message;
  return { ...shape, message, data: { ...told, code, details: {} } };
}
