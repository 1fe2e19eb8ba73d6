/**
 * `npm run bench -- [name…] [--rounds N] [--gib N] [--store file,segment] [--peers] [--directory D] [--markdown] [--json]`:
 * every claim about speed and size, measured, with what the machine can do at all beside it.
 *
 * The load generator shares the cores with the servers, so CPU seconds per GB of the server processes is the figure to
 * compare between machines; MB/s is what this one does today.
 */
import { tmpdir } from "node:os";
import { chunkStoreKinds } from "@holdfast/core/chunk-store";
import { amount, readOptions, refuse, someOf, wholeNumber } from "../scripts/options.ts";
import { circumstances } from "./circumstances.ts";
import { Limits } from "./measure/limits.ts";
import { peers } from "./peers/index.ts";
import type { Section } from "./report/cells.ts";
import { markdownOf, remember, textOf } from "./report/print.ts";
import { runScenario } from "./run.ts";
import { scenarios } from "./scenarios/index.ts";

const names = scenarios.map(({ name }) => name).join(", ");
const USAGE = `npm run bench -- [scenario…] [--rounds N] [--gib N] [--store file,segment] [--peers] [--directory D] [--markdown] [--json]
scenarios: ${names}`;

const { values, positionals } = readOptions(USAGE, {
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    gib: { type: "string" },
    store: { type: "string" },
    peers: { type: "boolean", default: false },
    directory: { type: "string", default: tmpdir() },
    markdown: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) refuse(`There is no scenario "${unknown.join('", "')}". Scenarios: ${names}.`);

const { directory } = values;
const rounds = wholeNumber("rounds", values.rounds);
const gib = values.gib === undefined ? undefined : amount("gib", values.gib);
const stores = values.store === undefined ? [undefined] : someOf("store", values.store, chunkStoreKinds);
const facts = circumstances(directory, rounds);
const limits = await Limits.measure(directory);
const present = values.peers ? peers.filter((peer) => peer.isInstalled()) : [];
const absent = values.peers ? peers.filter((peer) => !present.includes(peer)) : [];
const sections: Section[] = [];
for (const scenario of scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  const settings = { rounds, gib, limits };
  const say = (line: string): void => console.error(line);
  sections.push(...(await runScenario(scenario, { settings, directory, stores, peers: present, say })));
}

const missing = absent.map(({ name, packages }) => `${name} (${packages})`).join(", ");
const report = { circumstances: { ...facts, ...(missing && { "not installed": missing }) }, limits: limits.list(), sections };
console.log(values.markdown ? markdownOf(report) : textOf(report));
if (sections.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
if (values.json) console.error(`Added to ${remember(report)}`);
