import { z } from "zod";
import { limits } from "../kernel/index.ts";

/** What is wrong with the environment, one line a setting. A process prints it and exits; there is nothing to recover. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
}

/** Parses a process's environment once, at its start. Unset and empty are the same. Rejects with every fault at once. */
export function parseEnvironment<Shape extends z.ZodRawShape>(shape: Shape, environment: NodeJS.ProcessEnv): z.output<z.ZodObject<Shape>> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = z.object(shape).safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new EnvironmentError(`The environment cannot be used:\n  ${faults.join("\n  ")}\nSee .env.example for every setting.`);
}

/** Shapes of settings that several processes share. */
export const setting = {
  port: (defaultPort: number) => z.coerce.number("must be a port number").int().min(1).max(65_535).default(defaultPort),
  integer: (defaultValue: number, min = 0) => z.coerce.number("must be a whole number").int().min(min).default(defaultValue),
  replicas: z.coerce.number("must be a whole number").int().min(1).max(limits.replicasMax).default(limits.replicas),
  flag: (defaultValue: boolean) =>
    z
      .enum(["1", "0", "true", "false", "on", "off"])
      .default(defaultValue ? "1" : "0")
      .transform((value) => ["1", "true", "on"].includes(value)),
  /** At least 32 characters; there is no default on purpose. */
  secret: z
    .string("is missing; the embedded cluster makes one, elsewhere use `openssl rand -hex 32`")
    .min(32, "must have at least 32 characters"),
  logLevel: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
} as const;
