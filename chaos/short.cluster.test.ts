/** A short run of the whole harness, so that it never rots and no change breaks a promise unseen. Longer ones: `npm run chaos`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runtimeFlags } from "../packages/cluster/src/runtime-flags.ts";

const PROGRAM = join(import.meta.dirname, "main.ts");
/** A seed whose few seconds have something of everything. A wiped disk is left out: it takes minutes to be noticed for sure. */
const SEED = "2553";
const FAULTS = "kill,stop,unplug,corrupt,partition,power-cut,disk-full";
const SIZE = ["--minutes", "0.2", "--writers", "3", "--readers", "2", "--file-mib", "6", "--settle", "90"];

test("while people work, processes die, freeze, lose power, disk and network: every promise is kept", async () => {
  const { exitCode, output } = await runChaos(["--seed", SEED, "--faults", FAULTS, ...SIZE]);
  expect(exitCode, output).toBe(0);
});

function runChaos(args: string[]): Promise<{ exitCode: number | null; output: string }> {
  const child = spawn(process.execPath, [...runtimeFlags, PROGRAM, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve) => child.once("close", (exitCode) => resolve({ exitCode, output })));
}
