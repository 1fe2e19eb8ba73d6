import { createLogger } from "@holdfast/core/kernel";
import { runService } from "@holdfast/core/service";
import { startDrive } from "./src/server/drive.ts";
import { readEnvironment } from "./src/server/env.ts";

let logger = createLogger("web");

await runService(
  () => logger,
  async () => {
    const env = readEnvironment(process.env);
    logger = createLogger("web", env.HOLDFAST_LOG_LEVEL);
    return await startDrive(env, logger);
  },
);
