import type { z } from "zod";
import { CallError } from "./errors.ts";

/** What came over the wire as the domain takes it. Throws `call.invalid`, which says which field is impossible. */
export function parseCall<T>(schema: z.ZodType<T>, request: unknown): T {
  const parsed = schema.safeParse(request);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`);
  throw new CallError("call.invalid", `The call cannot be understood: ${faults.join("; ")}.`);
}
