import { createLogger } from "@holdfast/core/kernel";
import { runService } from "@holdfast/core/service";
import { nodeSettings } from "./env.ts";
import { startStorageNode } from "./storage-node.ts";

let logger = createLogger("node");

await runService(
  () => logger,
  async () => {
    const settings = nodeSettings(process.env);
    logger = createLogger(settings.name, settings.logLevel);
    const node = await startStorageNode(settings, logger);
    node.refused.catch(async (reason: unknown) => {
      logger.fatal({ err: reason }, "the cluster does not take this node");
      await node.stop();
      process.exit(1);
    });
    return node;
  },
);
