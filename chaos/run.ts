/** One run: start a cluster, let people work while it is hurt, let it heal, and look at every promise. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ChunkStoreKind } from "@holdfast/core/chunk-store";
import { limits, SECOND_MS } from "@holdfast/core/kernel";
import { createNodeClients, type NodeClients } from "@holdfast/core/node-client";
import { type Database, openDatabase } from "@holdfast/db";
import { Expectations } from "./expectations.ts";
import { Copies } from "./faults/copies.ts";
import { createEffects, type Effect } from "./faults/effects.ts";
import { Injector } from "./faults/injector.ts";
import { Leaders } from "./faults/leaders.ts";
import { findVictims, untilServing, type Victims } from "./faults/victims.ts";
import { checkCopies, type CopyFindings } from "./invariants/copies.ts";
import { checkFiles } from "./invariants/files.ts";
import { checkRows } from "./invariants/rows.ts";
import { Ledger } from "./ledger.ts";
import type { Means } from "./means.ts";
import { Measurements } from "./measurements.ts";
import type { Outcome } from "./print.ts";
import { createRandom, type Random } from "./random.ts";
import { type FaultKind, paces, planSchedule, type Schedule } from "./schedule.ts";
import { settle } from "./settle.ts";
import { setStage, type Stage } from "./stage.ts";
import { tidy } from "./tidy.ts";
import { ChaosDrive } from "./workload/drive.ts";
import { Reader, type ReaderParts } from "./workload/reader.ts";
import { Writer } from "./workload/writer.ts";

/**
 * What lies about has an inventory, a grace and a turn of the collector to wait for, several times; and where the answer to
 * an order to trash was lost, until that order is surely dead.
 */
const TIDY_LIMIT_MS = limits.trashSendWithinMs + limits.nodeCommandLifeMs + 60 * SECOND_MS;
const FOLDERS_PER_WRITER = 3;

export interface RunOptions {
  seed: string;
  store: ChunkStoreKind;
  /** How long faults go on, or how many are done, one as soon after the other as the cluster recovers. */
  until: { seconds: number } | { count: number };
  nodes: number;
  kinds: readonly FaultKind[];
  writers: number;
  readers: number;
  fileBytesMax: number;
  settleSeconds: number;
  /** Where the cluster, its disks and the ledger are made. */
  directory: string;
  means: Means;
  say: (line: string) => void;
}

export async function run(options: RunOptions): Promise<Outcome> {
  const scratch = mkdtempSync(join(options.directory, "holdfast-chaos-"));
  await using stack = new AsyncDisposableStack();
  const stage = await setStage(options, scratch, stack);
  const { cluster } = stage;
  const database = openDatabase(cluster.databaseUrl, { onError: () => undefined });
  stack.defer(() => database.close());
  const clients = createNodeClients({ clusterKey: cluster.clusterKey });
  stack.defer(() => clients.close());
  const ledger = new Ledger(join(scratch, "ledger.jsonl"));
  stack.defer(() => ledger.close());
  return await hurtAndCheck({ options, stage, database, clients, ledger });
}

interface RunParts {
  options: RunOptions;
  stage: Stage;
  database: Database;
  clients: NodeClients;
  ledger: Ledger;
}

async function hurtAndCheck({ options, stage, database, clients, ledger }: RunParts): Promise<Outcome> {
  const { seed, say } = options;
  const { cluster } = stage;
  const random = createRandom(seed);
  const startMs = performance.now();
  const sayWhen = (line: string): void => say(`+${((performance.now() - startMs) / 1_000).toFixed(1)} s  ${line}`);
  const expectations = new Expectations((line) => {
    ledger.note({ violation: line });
    sayWhen(`VIOLATION ${line}`);
  });
  const measurements = new Measurements();
  const drive = new ChaosDrive(cluster.owner, expectations, measurements);
  const victims = await findVictims(cluster, stage.secondConsole, database);
  const readAll = (): Promise<CopyFindings> => checkCopies(database, clients, limits.replicas);
  const injector = new Injector({
    effects: prepareEffects({ stage, database, victims, readAll, random, expectations }),
    victims,
    random: random.fork("injector"),
    ledger,
    measurements,
    say: sayWhen,
  });

  const writers = await makeWriters(options, { drive, expectations, ledger, measurements, random });
  await Promise.all(writers.map(({ writer }) => writer.warmUp()));
  sayWhen("the work begins");
  const workMs = performance.now();
  await work(options, random, injector, writers, { drive, expectations, ledger, measurements });
  const faultSeconds = (performance.now() - workMs) / SECOND_MS;

  sayWhen("the faults have ended; waiting for the cluster to heal");
  await untilServing(victims.nodes);
  const settled = await settle(cluster, { look: readAll, limitMs: options.settleSeconds * SECOND_MS, say: sayWhen });
  settled.violations.forEach((line) => expectations.violate(line));

  sayWhen("looking at every promise");
  const folderIds = writers.flatMap((writer) => writer.folderIds);
  const files = await checkFiles(drive, expectations, folderIds);
  for (const line of await checkRows(database)) expectations.violate(line);
  sayWhen("waiting for what nobody needs to be cleaned up");
  const tidied = await tidy(database, clients, TIDY_LIMIT_MS);
  tidied.violations.forEach((line) => expectations.violate(line));
  const seconds = (performance.now() - startMs) / SECOND_MS;
  return { seed, store: options.store, ledger, expectations, injector, files, tidied, measurements, settled, seconds, faultSeconds };
}

interface EffectsParts extends Pick<RunParts, "stage" | "database"> {
  victims: Victims;
  readAll: () => Promise<unknown>;
  random: Random;
  expectations: Expectations;
}

function prepareEffects({ stage, database, victims, readAll, random, expectations }: EffectsParts): Record<FaultKind, Effect> {
  const { nodes, controllers } = victims;
  const copies = new Copies({ database, nodes, disks: stage.disks, readAll, random: random.fork("copies") });
  const leaders = new Leaders({ database, controllers, violate: (line) => expectations.violate(line) });
  return createEffects({ ...stage, database, victims, copies, leaders, random: random.fork("effects") });
}

type WorkParts = Omit<ReaderParts, "random" | "folderIds">;

async function work(
  { until, nodes, kinds, readers }: RunOptions,
  random: Random,
  injector: Injector,
  writers: readonly MadeWriter[],
  parts: WorkParts,
): Promise<void> {
  const enough = new AbortController();
  const folderIds = writers.flatMap((writer) => writer.folderIds);
  const readersRun = Array.from({ length: readers }, (_, index) =>
    new Reader({ ...parts, folderIds, random: random.fork(`reader ${index}`) }).run(enough.signal),
  );
  const writersRun = writers.map(({ writer }) => writer.run(enough.signal));
  try {
    await hurt(
      until,
      injector,
      planSchedule(random.fork("schedule"), { nodes, kinds, pace: "count" in until ? paces.dense : paces.steady }),
    );
  } finally {
    enough.abort();
    await Promise.all([...readersRun, ...writersRun]);
  }
}

async function hurt(until: RunOptions["until"], injector: Injector, schedule: Schedule): Promise<void> {
  const ends = new AbortController();
  if ("count" in until) return await injector.run(schedule, until.count, ends.signal);
  const faults = injector.run(schedule, Number.POSITIVE_INFINITY, ends.signal);
  await delay(until.seconds * SECOND_MS);
  ends.abort();
  await faults;
}

interface MadeWriter {
  writer: Writer;
  folderIds: string[];
}

async function makeWriters(
  { writers, fileBytesMax }: RunOptions,
  { random, ...parts }: WorkParts & { random: Random },
): Promise<MadeWriter[]> {
  const rootId = await rootOf(parts.drive);
  return await Promise.all(
    Array.from({ length: writers }, async (_, index) => {
      const name = `writer ${index + 1}`;
      const folderIds: string[] = [];
      for (let folder = 1; folder <= FOLDERS_PER_WRITER; folder += 1) {
        // The second lies in the first, so that sizes have to add up over levels.
        const parentId = folder === 2 ? folderIds[0]! : rootId;
        folderIds.push(idOf(await parts.drive.mutate("entries.createFolder", { parentId, name: `${name} folder ${folder}` })));
      }
      return { folderIds, writer: new Writer({ ...parts, name, folderIds, fileBytesMax, random: random.fork(name) }) };
    }),
  );
}

async function rootOf(drive: ChaosDrive): Promise<string> {
  return idOf(await drive.query("entries.folder", {}));
}

function idOf(result: Awaited<ReturnType<ChaosDrive["query"]>>): string {
  if (result.status === "done") return (result.value as { id: string }).id;
  throw new Error(`the Drive does not answer before any fault: ${JSON.stringify(result)}`);
}
