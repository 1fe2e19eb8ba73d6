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

const LOGS_AND_ENDS = (ending: string) => `
  import { createLogger } from ${JSON.stringify(new URL("./logging.ts", import.meta.url).href)};
  const logger = createLogger("short-lived");
  for (let line = 0; line < 1_000; line++) logger.info({ line }, "busy");
  ${ending}`;

/** All that it said before it ended, and how often it spoke. */
async function told(program: string): Promise<{ lines: { msg: string }[]; pieces: number; code: number | null }> {
  const service = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], { stdio: ["ignore", "pipe", "ignore"] });
  const pieces: Buffer[] = [];
  service.stdout.on("data", (piece: Buffer) => pieces.push(piece));
  const [code] = (await once(service, "close")) as [number | null];
  const lines = Buffer.concat(pieces).toString().trimEnd().split("\n");
  return { lines: lines.map((line) => JSON.parse(line) as { msg: string }), pieces: pieces.length, code };
}

test.each([
  ["ends by itself", "", 0],
  ["is told to exit", "process.exit(3);", 3],
  ["dies of an error that nobody caught", 'throw new Error("unheard of");', 1],
])("a process %s: every line that it logged is there, and they came together", async (_name, ending, code) => {
  const { lines, pieces, ...rest } = await told(LOGS_AND_ENDS(ending));
  expect([lines.length, rest.code]).toEqual([1_000, code]);
  expect(pieces).toBeLessThan(20);
});

test("a warning is written at once, behind what was held: even a process that is killed has said it", async () => {
  const ending = 'logger.warn("the disk fails"); process.kill(process.pid, "SIGKILL");';
  expect((await told(LOGS_AND_ENDS(ending))).lines.at(-1)).toMatchObject({ msg: "the disk fails" });
});

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
