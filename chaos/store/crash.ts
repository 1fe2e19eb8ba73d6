/**
 * `node chaos/store/crash.ts [--store file|segment] [--script append,…] [--fault KILL,EIO,ENOSPC] [--power-cut] [--every N]`:
 * a store is struck at each system call by which it changes its disk, in the middle of appending, of using segments again, of
 * compacting and of opening. With `--power-cut`, as root, the power of its disk is cut in the same moment. Needs strace.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type StoreKindName, storeKinds } from "@holdfast/core/chunk-store/testing/stores";
import { MiB } from "@holdfast/core/kernel";
import { readOptions, someOf, wholeNumber } from "../../scripts/options.ts";
import { LoopDisk } from "../faults/loop-disk.ts";
import { crashScripts, type CrashScriptName } from "./crash-scripts.ts";
import { type Sweep, sweep } from "./crash-sweep.ts";
import type { Fault } from "./crash-trial.ts";

const STORES = Object.keys(storeKinds) as StoreKindName[];
const SCRIPTS = Object.keys(crashScripts) as CrashScriptName[];
const FAULTS: readonly Fault[] = ["KILL", "EIO", "ENOSPC"];
const USAGE = `node chaos/store/crash.ts [--store ${STORES.join(",")}] [--script ${SCRIPTS.join(",")}] [--fault ${FAULTS.join(",")}]
                           [--power-cut] [--every N] [--directory D]`;

const { values } = readOptions(USAGE, {
  options: {
    store: { type: "string", default: STORES.join(",") },
    script: { type: "string", default: SCRIPTS.join(",") },
    fault: { type: "string", default: FAULTS.join(",") },
    "power-cut": { type: "boolean", default: false },
    every: { type: "string", default: "1" },
    directory: { type: "string", default: tmpdir() },
  },
});

const every = wholeNumber("every", values.every);
const stores = someOf("store", values.store, STORES);
const scripts = someOf("script", values.script, SCRIPTS);
const faults = someOf("fault", values.fault, FAULTS);
const scratch = mkdtempSync(join(values.directory, "holdfast-crash-"));
let disk: LoopDisk | undefined;
let violations = 0;
try {
  if (values["power-cut"]) disk = new LoopDisk(join(scratch, "image"), join(scratch, "disk"), 512 * MiB);
  for (const kind of stores) {
    for (const script of scripts) {
      for (const strike of strikes()) violations += await run({ kind, script, ...strike });
    }
  }
} finally {
  disk?.unmount();
  rmSync(scratch, { recursive: true });
}
process.exitCode = violations === 0 ? 0 : 1;

/** What happens to the process, and whether its disk loses its power in the same moment. */
function strikes(): Pick<Sweep, "fault" | "cutsAtOnce">[] {
  if (disk === undefined) return faults.map((fault) => ({ fault, cutsAtOnce: false }));
  return [true, false].map((cutsAtOnce) => ({ fault: "KILL", cutsAtOnce }));
}

async function run(terms: Pick<Sweep, "kind" | "script" | "fault" | "cutsAtOnce">): Promise<number> {
  const began = performance.now();
  const swept = await sweep({ ...terms, ground: disk ?? scratch, every });
  for (const violation of swept.violations) console.log(`VIOLATION ${violation}`);
  const power = disk === undefined ? "" : terms.cutsAtOnce ? ", power cut at once" : ", power cut after all was asked for again";
  console.log(
    `${terms.kind} store, ${terms.script}, ${terms.fault}${power}: struck at ${swept.struck} of ${swept.calls} calls, ` +
      `${swept.acknowledged} answers to be kept, ${swept.violations.length} violations, ${((performance.now() - began) / 1_000).toFixed(0)} s`,
  );
  return swept.violations.length;
}
