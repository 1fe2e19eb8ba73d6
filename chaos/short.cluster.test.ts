/** A short run of the whole harness, so that it never rots and no change breaks a promise unseen. Longer ones: `npm run chaos`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { chunkStoreKinds } from "@holdfast/core/chunk-store";
import { MINUTE_MS } from "@holdfast/core/kernel";
import { expect, test } from "vitest";
import { runtimeFlags } from "../packages/cluster/src/runtime-flags.ts";

const PROGRAM = join(import.meta.dirname, "main.ts");
const SEED = "2553";
/** Those that are soon over, and whose traces are soon found: a wiped disk takes minutes to be noticed for sure. */
const FAULTS = "kill,stop,unplug,corrupt,partition,power-cut,disk-full,backends";
const SIZE = ["--count", "8", "--writers", "2", "--readers", "2", "--file-mib", "4", "--settle", "180"];
/** Far above what a machine with other work needs: the run itself says what took too long. */
const TIMEOUT_MS = 10 * MINUTE_MS;

test.each(chunkStoreKinds)(
  "a %s store, while people work, and processes die, freeze, lose power, disk and network: every promise is kept",
  async (store) => {
    const { exitCode, output } = await runChaos(["--seed", SEED, "--store", store, "--faults", FAULTS, ...SIZE]);
    expect(exitCode, output).toBe(0);
  },
  TIMEOUT_MS,
);

function runChaos(args: string[]): Promise<{ exitCode: number | null; output: string }> {
  const child = spawn(process.execPath, [...runtimeFlags, PROGRAM, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve) => child.once("close", (exitCode) => resolve({ exitCode, output })));
}
