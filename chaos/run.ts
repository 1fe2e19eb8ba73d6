/** One run: start a cluster, let people work while it is hurt, let it heal, and look at every promise. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startTestCluster, type TestCluster } from "@holdfast/cluster/testing";
import { KiB, limits, MiB, SECOND_MS } from "@holdfast/core/kernel";
import { createNodeClients, type NodeClients } from "@holdfast/core/node-client";
import { type Database, openDatabase } from "@holdfast/db";
import { Expectations } from "./expectations.ts";
import { NodeDisk } from "./faults/chunk-files.ts";
import { Injector } from "./faults/injector.ts";
import { LoopDisk } from "./faults/loop-disk.ts";
import { checkCopies } from "./invariants/copies.ts";
import { checkFiles } from "./invariants/files.ts";
import { checkRows } from "./invariants/rows.ts";
import { Ledger } from "./ledger.ts";
import { Measurements } from "./measurements.ts";
import { describeOutcome } from "./print.ts";
import { createRandom, type Random } from "./random.ts";
import { describeFault, type FaultKind, planSchedule } from "./schedule.ts";
import { settle } from "./settle.ts";
import { tidy } from "./tidy.ts";
import { ChaosDrive } from "./workload/drive.ts";
import { Reader, type ReaderParts } from "./workload/reader.ts";
import { Writer } from "./workload/writer.ts";

const CONTROLLER_PORT = 7_000;
const RESERVE_BYTES = 64 * MiB;
const LOOP_DISK_BYTES = 1_536 * MiB;
/** Short, so that chunks come and go while uploads refer to them again. */
const GC_GRACE_MS = 3 * SECOND_MS;
/** What lies about has an inventory, a grace and a turn of the collector to wait for, several times. */
const TIDY_LIMIT_MS = 90 * SECOND_MS;
const FOLDERS_PER_WRITER = 3;

export interface RunOptions {
  seed: string;
  seconds: number;
  nodes: number;
  kinds: readonly FaultKind[];
  writers: number;
  readers: number;
  fileBytesMax: number;
  settleSeconds: number;
  /** Where the cluster, its disks and the ledger are made. */
  directory: string;
  /** Each node gets a file system of its own. */
  loopDisks: boolean;
  /** We are alone in this network namespace. */
  ownNetwork: boolean;
  say: (line: string) => void;
}

/** Returns how many promises were broken. */
export async function run(options: RunOptions): Promise<number> {
  const scratch = mkdtempSync(join(options.directory, "holdfast-chaos-"));
  await using stack = new AsyncDisposableStack();
  const cluster = await startCluster(options, scratch);
  stack.defer(() => cluster.remove());
  const loopDisks = options.loopDisks ? await giveLoopDisks(cluster, scratch) : [];
  stack.defer(async () => {
    await cluster.stop();
    cpSync(join(cluster.dataDirectory, "logs"), join(scratch, "logs"), { recursive: true });
    for (const disk of loopDisks) disk.unmount();
  });
  const database = openDatabase(cluster.databaseUrl, { onError: () => undefined });
  stack.defer(() => database.close());
  const clients = createNodeClients({ clusterKey: cluster.clusterKey });
  stack.defer(() => clients.close());
  const ledger = new Ledger(join(scratch, "ledger.jsonl"));
  stack.defer(() => ledger.close());
  return await hurtAndCheck({ options, cluster, loopDisks, database, clients, ledger });
}

interface RunParts {
  options: RunOptions;
  cluster: TestCluster;
  loopDisks: LoopDisk[];
  database: Database;
  clients: NodeClients;
  ledger: Ledger;
}

async function hurtAndCheck({ options, cluster, loopDisks, database, clients, ledger }: RunParts): Promise<number> {
  const { seed, say } = options;
  const random = createRandom(seed);
  const startMs = performance.now();
  const sayWhen = (line: string): void => say(`+${((performance.now() - startMs) / 1_000).toFixed(1)} s  ${line}`);
  const expectations = new Expectations((line) => {
    ledger.note({ violation: line });
    sayWhen(`VIOLATION ${line}`);
  });
  const measurements = new Measurements();
  const drive = new ChaosDrive(cluster.owner, expectations, measurements);
  const disks = cluster.nodes.map(({ name }) => new NodeDisk(name, nodeDirectory(cluster, name)));
  const injector = new Injector({
    cluster,
    database,
    disks,
    loopDisks,
    controllerPort: CONTROLLER_PORT,
    random: random.fork("injector"),
    ledger,
    measurements,
    say: (line) => sayWhen(`did ${line}`),
  });

  const writers = await makeWriters(options, { drive, expectations, ledger, measurements, random });
  await Promise.all(writers.map(({ writer }) => writer.warmUp()));
  await work(options, random, injector, writers, { drive, expectations, ledger, measurements }, sayWhen);

  sayWhen("the faults have ended; waiting for the cluster to heal");
  await injector.untilNodesAnswer();
  const settled = await settle(cluster, {
    look: () => checkCopies(database, clients, limits.replicas),
    limitMs: options.settleSeconds * SECOND_MS,
    say: sayWhen,
  });
  settled.violations.forEach((line) => expectations.violate(line));

  sayWhen("looking at every promise");
  const folderIds = writers.flatMap((writer) => writer.folderIds);
  const files = await checkFiles(drive, expectations, folderIds);
  for (const line of await checkRows(database)) expectations.violate(line);
  sayWhen("waiting for what nobody needs to be cleaned up");
  const tidied = await tidy(database, clients, TIDY_LIMIT_MS);
  tidied.violations.forEach((line) => expectations.violate(line));
  say(describeOutcome({ seed, ledger, expectations, injector, files, tidied, measurements, settled }));
  return expectations.violations.length;
}

type WorkParts = Omit<ReaderParts, "random" | "folderIds">;

async function work(
  { seconds, nodes, kinds, readers, say }: RunOptions,
  random: Random,
  injector: Injector,
  writers: readonly MadeWriter[],
  parts: WorkParts,
  sayWhen: (line: string) => void,
): Promise<void> {
  const schedule = planSchedule(random.fork("schedule"), { seconds, nodes, kinds });
  const planned = [...schedule.nodes, ...schedule.services].toSorted((a, b) => a.atMs - b.atMs);
  say(`schedule\n${planned.map((fault) => `  ${describeFault(fault)}`).join("\n")}`);
  sayWhen("the work begins");

  const enough = new AbortController();
  const folderIds = writers.flatMap((writer) => writer.folderIds);
  const readersRun = Array.from({ length: readers }, (_, index) =>
    new Reader({ ...parts, folderIds, random: random.fork(`reader ${index}`) }).run(enough.signal),
  );
  const writersRun = writers.map(({ writer }) => writer.run(enough.signal));
  const ends = new AbortController();
  const faults = Promise.all([injector.run(schedule.nodes, ends.signal), injector.run(schedule.services, ends.signal)]);
  await delay(seconds * SECOND_MS);
  ends.abort();
  await faults; // each fault under way ends as planned
  enough.abort();
  await Promise.all([...readersRun, ...writersRun]);
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

async function startCluster({ nodes, ownNetwork }: RunOptions, scratch: string): Promise<TestCluster> {
  return await startTestCluster({
    directory: scratch,
    environment: {
      HOLDFAST_NODES: String(nodes),
      HOLDFAST_HEARTBEAT_MS: "300",
      HOLDFAST_DOWN_AFTER_MS: "1500",
      HOLDFAST_CHUNK_BYTES: String(256 * KiB),
      HOLDFAST_REPAIR_AFTER_MS: "0",
      HOLDFAST_GC_GRACE_MS: String(GC_GRACE_MS),
      HOLDFAST_NODE_RESERVE_BYTES: String(RESERVE_BYTES),
      ...(ownNetwork && { HOLDFAST_CONTROLLER_PORT: String(CONTROLLER_PORT) }),
    },
  });
}

async function giveLoopDisks(cluster: TestCluster, scratch: string): Promise<LoopDisk[]> {
  const images = join(scratch, "disks");
  mkdirSync(images);
  return await Promise.all(
    cluster.nodes.map(async (node) => {
      const directory = nodeDirectory(cluster, node.name);
      await node.unplug();
      const aside = `${directory}.aside`;
      renameSync(directory, aside);
      const disk = new LoopDisk(join(images, node.name), directory, LOOP_DISK_BYTES);
      cpSync(aside, directory, { recursive: true });
      disk.sync(); // ours to make durable: the node believes that it was
      await node.start();
      return disk;
    }),
  );
}

function nodeDirectory(cluster: TestCluster, name: string): string {
  const directory = join(cluster.dataDirectory, "nodes", name);
  if (!existsSync(directory)) throw new Error(`${name} has no directory ${directory}`);
  return directory;
}
