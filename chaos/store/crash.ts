/**
 * `node chaos/store/crash.ts [--store file|segment] [--script append,…] [--fault KILL,EIO,ENOSPC] [--power-cut] [--every N]`:
 * a store is struck at each system call by which it changes its disk, in the middle of appending, of using segments again, of
 * compacting and of opening. With `--power-cut`, as root, the power of its disk is cut in the same moment. Needs strace.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type StoreKindName, storeKinds } from "@holdfast/core/chunk-store/testing/stores";
import { MiB } from "@holdfast/core/kernel";
import { LoopDisk } from "../faults/loop-disk.ts";
import { crashScripts, type CrashScriptName } from "./crash-scripts.ts";
import { type Sweep, sweep } from "./crash-sweep.ts";
import type { Fault } from "./crash-trial.ts";

const { values } = parseArgs({
  options: {
    store: { type: "string", default: Object.keys(storeKinds).join(",") },
    script: { type: "string", default: Object.keys(crashScripts).join(",") },
    fault: { type: "string", default: "KILL,EIO,ENOSPC" },
    "power-cut": { type: "boolean", default: false },
    every: { type: "string", default: "1" },
    directory: { type: "string", default: tmpdir() },
  },
});

const scratch = mkdtempSync(join(values.directory, "holdfast-crash-"));
const disk = values["power-cut"] ? new LoopDisk(join(scratch, "image"), join(scratch, "disk"), 512 * MiB) : undefined;
const faults = values.fault.split(",") as Fault[];
/** What happens to the process, and whether its disk loses its power in the same moment. */
const strikes =
  disk === undefined
    ? faults.map((fault) => ({ fault, cutsAtOnce: false }))
    : [true, false].map((cutsAtOnce) => ({ fault: "KILL" as const, cutsAtOnce }));

let violations = 0;
try {
  for (const kind of values.store.split(",") as StoreKindName[]) {
    for (const script of values.script.split(",") as CrashScriptName[]) {
      for (const strike of strikes) violations += await run({ kind, script, ...strike });
    }
  }
} finally {
  disk?.unmount();
  rmSync(scratch, { recursive: true });
}
process.exitCode = violations === 0 ? 0 : 1;

async function run(terms: Pick<Sweep, "kind" | "script" | "fault" | "cutsAtOnce">): Promise<number> {
  const began = performance.now();
  const swept = await sweep({ ...terms, ground: disk ?? scratch, every: Number(values.every) });
  for (const violation of swept.violations) console.log(`VIOLATION ${violation}`);
  const power = disk === undefined ? "" : terms.cutsAtOnce ? ", power cut at once" : ", power cut after all was asked for again";
  console.log(
    `${terms.kind} store, ${terms.script}, ${terms.fault}${power}: struck at ${swept.struck} of ${swept.calls} calls, ` +
      `${swept.acknowledged} answers to be kept, ${swept.violations.length} violations, ${((performance.now() - began) / 1_000).toFixed(0)} s`,
  );
  return swept.violations.length;
}
