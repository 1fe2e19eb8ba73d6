import { createLogger } from "@holdfast/core/kernel";
import { runService } from "@holdfast/core/service";
import { startConsole } from "./src/server/console.ts";
import { readEnvironment } from "./src/server/env.ts";

let logger = createLogger("admin");

await runService(
  () => logger,
  async () => {
    const env = readEnvironment(process.env);
    logger = createLogger("admin", env.HOLDFAST_LOG_LEVEL);
    return await startConsole(env, logger);
  },
);
