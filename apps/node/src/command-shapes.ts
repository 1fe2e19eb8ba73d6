/** What commands to a node look like, whichever door they come through. */
import { type ChunkId, parseChunkId } from "@holdfast/core/chunking";
import { limits } from "@holdfast/core/kernel";
import { z } from "zod";
import { NodeError } from "./errors.ts";

export const chunkIdShape = z.string().transform((text, check): ChunkId => parseChunkId(text) ?? notAnId(check));
export const epochShape = z.int().min(1);

const source = z.strictObject({
  id: z.int().positive(),
  host: z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/),
  port: z.int().min(1).max(65_535),
});
export const sourcesShape = z.array(source).min(1).max(limits.replicateSourcesMax);

/** Throws `command.invalid`, which says what is wrong with `what`. */
export function checked<T>(schema: z.ZodType<T>, given: unknown, what: string): T {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${[what, ...path].join(".")}: ${message}`);
  throw new NodeError("command.invalid", `The command cannot be understood: ${faults.join("; ")}.`, { faults });
}

function notAnId(check: z.RefinementCtx): never {
  check.addIssue("is no chunk id");
  return z.NEVER;
}
