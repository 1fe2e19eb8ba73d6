/**
 * `npm run chaos -- [--seed N] [--minutes M] [--nodes 4] [--faults kill,stop,…]`: hurts a real cluster at random while people
 * work with it, lets it heal, and holds it to every promise. Ends with 1 when one was broken.
 *
 * As root it runs in a network and a mount namespace of its own, so that partitions and power cuts can be real; otherwise
 * it says what it leaves out.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { MiB } from "@holdfast/core/kernel";
import { LoopDisk } from "./faults/loop-disk.ts";
import { preparePrivateNetwork } from "./faults/network.ts";
import { runMutants } from "./mutants/run-mutants.ts";
import { run } from "./run.ts";
import { FAULT_GROUPS, type FaultKind, faultGroups, kindsNamed } from "./schedule.ts";

const needsOwnNetwork: readonly FaultKind[] = FAULT_GROUPS.partition;
const needsLoopDisk: readonly FaultKind[] = [...FAULT_GROUPS["power-cut"], ...FAULT_GROUPS["disk-full"]];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    minutes: { type: "string", default: "2" },
    nodes: { type: "string", default: "4" },
    faults: { type: "string", default: faultGroups.join(",") },
    writers: { type: "string", default: "4" },
    readers: { type: "string", default: "3" },
    "file-mib": { type: "string", default: "20" },
    settle: { type: "string", default: "180" },
    directory: { type: "string", default: tmpdir() },
    /** Set by ourselves, for the process inside the namespaces. */
    inside: { type: "boolean", default: false },
  },
});

const names = values.faults.split(",").filter((name) => name !== "");
const unknown = names.filter((name) => kindsNamed(name) === undefined);
if (unknown.length > 0) {
  console.error(`There is no fault "${unknown.join('", "')}". Faults: ${faultGroups.join(", ")}, or one kind of them.`);
  process.exit(2);
}
const wanted = [...new Set(names.flatMap((name) => kindsNamed(name)!))];

if (positionals[0] === "mutants") process.exitCode = runMutants(positionals.slice(1));
else if (!values.inside && spawnSync("unshare", ["--net", "--mount", "true"]).status === 0) process.exitCode = await goInside();
else process.exitCode = await start();

/** The same again, alone in its namespaces; what it mounts and cuts is gone with it. */
async function goInside(): Promise<number> {
  const [script, ...args] = process.argv.slice(1);
  const child = spawn("unshare", ["--net", "--mount", process.execPath, ...process.execArgv, script!, ...args, "--inside"], {
    stdio: "inherit",
  });
  return await new Promise((resolve) => child.on("exit", (code) => resolve(code ?? 1)));
}

async function start(): Promise<number> {
  const seed = values.seed ?? String(Math.floor(Math.random() * 1e9));
  const ownNetwork = values.inside && works("partitions", preparePrivateNetwork);
  const needsDisks = wanted.some((kind) => needsLoopDisk.includes(kind));
  const loopDisks = needsDisks && works("power cuts and full disks", tryLoopDisk);
  const possible = wanted.filter((kind) => (!needsOwnNetwork.includes(kind) || ownNetwork) && (!needsLoopDisk.includes(kind) || loopDisks));
  console.log(`seed ${seed}, ${values.minutes} minutes, ${values.nodes} nodes, faults: ${possible.join(", ")}`);
  const leftOut = wanted.filter((kind) => !possible.includes(kind));
  if (leftOut.length > 0) console.log(`left out, for want of root or of kernel support: ${leftOut.join(", ")}`);
  const violations = await run({
    seed,
    seconds: Number(values.minutes) * 60,
    nodes: Number(values.nodes),
    kinds: possible,
    writers: Number(values.writers),
    readers: Number(values.readers),
    fileBytesMax: Number(values["file-mib"]) * MiB,
    settleSeconds: Number(values.settle),
    directory: values.directory,
    loopDisks,
    ownNetwork,
    say: (line) => console.log(line),
  });
  return violations === 0 ? 0 : 1;
}

function works(what: string, probe: () => void): boolean {
  try {
    probe();
    return true;
  } catch (error) {
    console.log(`no ${what} here: ${(error as Error).message.trim()}`);
    return false;
  }
}

function tryLoopDisk(): void {
  const scratch = mkdtempSync(join(values.directory, "holdfast-probe-"));
  try {
    const disk = new LoopDisk(join(scratch, "image"), join(scratch, "disk"), 32 * MiB);
    disk.cutPower();
    disk.unmount();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
