/**
 * `npm run chaos -- [--seed N] [--minutes M | --count N] [--faults kill,stop,…] [--store file|segment]`: hurts a real cluster
 * at random while people work with it, lets it heal, and holds it to every promise. Ends with 1 when one was broken.
 *
 * As root it runs in a network and a mount namespace of its own, so that partitions and power cuts can be real; otherwise
 * it says what it leaves out.
 */
import { spawn, spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { chunkStoreKinds, NEW_DISK_STORE } from "@holdfast/core/chunk-store";
import { MiB } from "@holdfast/core/kernel";
import { amount, oneOf, readOptions, refuse, wholeNumber } from "../scripts/options.ts";
import { findMeans } from "./means.ts";
import { runMutants } from "./mutants/run-mutants.ts";
import { runOlderDatabase } from "./older-database.ts";
import { describeOutcome } from "./print.ts";
import { appendResult, describeTotals } from "./results.ts";
import { run } from "./run.ts";
import { faultGroups, kindsNamed } from "./schedule.ts";

const USAGE = `npm run chaos -- [--seed N] [--minutes M | --count N] [--faults ${faultGroups.join(",")}] [--store ${chunkStoreKinds.join("|")}]
              [--nodes N] [--writers N] [--readers N] [--file-mib N] [--settle SECONDS] [--directory D] [--results FILE]
npm run chaos -- mutants [part of a name…]
npm run chaos -- older-database [--seed N] [--store S]
npm run chaos -- sum FILE…`;

const { values, positionals } = readOptions(USAGE, {
  allowPositionals: true,
  options: {
    seed: { type: "string" },
    minutes: { type: "string", default: "2" },
    /** Faults, one as soon after the other as the cluster recovers; instead of minutes. */
    count: { type: "string" },
    nodes: { type: "string", default: "4" },
    store: { type: "string", default: NEW_DISK_STORE },
    /** Gets a line for this run; `sum` adds up such files. */
    results: { type: "string" },
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
if (unknown.length > 0) refuse(`There is no fault "${unknown.join('", "')}". Faults: ${faultGroups.join(", ")}, or one kind of them.`);
const store = oneOf("store", values.store, chunkStoreKinds);
const size = {
  until: values.count === undefined ? { seconds: amount("minutes", values.minutes) * 60 } : { count: wholeNumber("count", values.count) },
  nodes: wholeNumber("nodes", values.nodes),
  writers: wholeNumber("writers", values.writers),
  readers: wholeNumber("readers", values.readers, 0),
  fileBytesMax: amount("file-mib", values["file-mib"]) * MiB,
  settleSeconds: amount("settle", values.settle),
};
const wanted = [...new Set(names.flatMap((name) => kindsNamed(name)!))];

if (positionals[0] === "sum") console.log(describeTotals(positionals.slice(1)));
else if (positionals[0] === "older-database") process.exitCode = await setDatabaseBack();
else if (positionals[0] === "mutants") process.exitCode = runMutants(positionals.slice(1));
else if (positionals.length > 0) refuse(`There is no "${positionals[0]}".\n${USAGE}`);
else if (!values.inside && spawnSync("unshare", ["--net", "--mount", "true"]).status === 0) process.exitCode = await goInside();
else process.exitCode = await start();

async function setDatabaseBack(): Promise<number> {
  const violations = await runOlderDatabase({ seed: newSeed(), store, directory: values.directory, say: (line) => console.log(line) });
  return violations.length === 0 ? 0 : 1;
}

function newSeed(): string {
  return values.seed ?? String(Math.floor(Math.random() * 1e9));
}

/** The same again, alone in its namespaces; what it mounts and cuts is gone with it. */
async function goInside(): Promise<number> {
  const [script, ...args] = process.argv.slice(1);
  const child = spawn("unshare", ["--net", "--mount", process.execPath, ...process.execArgv, script!, ...args, "--inside"], {
    stdio: "inherit",
  });
  return await new Promise((resolve) => child.on("exit", (code) => resolve(code ?? 1)));
}

async function start(): Promise<number> {
  const seed = newSeed();
  const { directory } = values;
  const { until } = size;
  const { means, possible } = findMeans({ wanted, isInside: values.inside, directory, say: (line) => console.log(line) });
  const howLong = "count" in until ? `${until.count} faults` : `${values.minutes} minutes of faults`;
  console.log(`seed ${seed}, ${howLong}, ${values.nodes} nodes with a ${store} store, of: ${possible.join(", ")}`);
  const leftOut = wanted.filter((kind) => !possible.includes(kind));
  if (leftOut.length > 0) console.log(`left out, for want of root, of kernel support or of a program: ${leftOut.join(", ")}`);
  const outcome = await run({
    seed,
    store,
    ...size,
    kinds: possible,
    directory,
    means,
    say: (line) => console.log(line),
  });
  console.log(describeOutcome(outcome));
  if (values.results !== undefined) appendResult(values.results, outcome);
  return outcome.expectations.violations.length === 0 ? 0 : 1;
}
