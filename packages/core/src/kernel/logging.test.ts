import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

const LOGS_WHEN_TOLD = `
  import { createLogger } from ${JSON.stringify(new URL("./logging.ts", import.meta.url).href)};
  const logger = createLogger("lonely");
  process.once("SIGUSR2", () => {
    logger.info("stopping");
    logger.info("stopped");
    process.exit(0);
  });
  setInterval(() => undefined, 1_000);
  logger.info("ready");`;

test("whoever reads the log dies: the process that writes it still stops", async () => {
  const service = spawn(process.execPath, ["--input-type=module-typescript", "--eval", LOGS_WHEN_TOLD], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const exit = once(service, "exit");
    await once(service.stdout, "data");
    service.stdout.destroy();
    await once(service.stdout, "close");
    service.kill("SIGUSR2");
    expect(await exit).toEqual([0, null]);
  } finally {
    service.kill("SIGKILL");
  }
});
