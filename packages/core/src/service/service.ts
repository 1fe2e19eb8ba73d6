/**
 * The life of a process, the same for every service: start, tell the supervisor, serve, stop in order.
 *
 * SIGTERM, SIGINT and the loss of the supervisor all mean the same: stop taking work, finish what is under way, leave.
 * A second signal, or a stop that takes too long, ends it at once; every service must survive that too.
 */
import type { Logger } from "../kernel/index.ts";
import { EnvironmentError } from "./environment.ts";

const STOP_TIMEOUT_MS = 10_000;

export interface RunningService {
  stop(): Promise<void>;
}

/** What a supervised service sends its supervisor over the process channel. */
export interface ReadyMessage {
  type: "ready";
}

/** Runs `start` and keeps the process alive until told to stop. A failure to start is one clear line and exit code 1. */
export async function runService(logger: () => Logger, start: () => Promise<RunningService>): Promise<void> {
  const service = await start().catch((error: unknown) => refuse(error));
  process.send?.({ type: "ready" } satisfies ReadyMessage);

  let stopping = false;
  const stop = (reason: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    logger().info({ reason }, "stopping");
    setTimeout(() => {
      logger().error("did not stop in time");
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    service.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger().error({ err: error }, "stopped with an error");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  process.on("disconnect", () => stop("the supervisor is gone"));
}

function refuse(error: unknown): never {
  const known = error instanceof EnvironmentError || isSystemError(error);
  console.error(known ? (error as Error).message : error);
  process.exit(1);
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
