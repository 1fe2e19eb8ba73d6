/** What a run plays on: a real cluster, and around it what its faults need. */
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ServiceProcess } from "@holdfast/cluster";
import { type SecondConsole, startSecondConsole, startTestCluster, type TestCluster } from "@holdfast/cluster/testing";
import type { ChunkStoreKind } from "@holdfast/core/chunk-store";
import { KiB, MiB, SECOND_MS } from "@holdfast/core/kernel";
import { Clocks } from "./faults/clocks.ts";
import { LoopDisk } from "./faults/loop-disk.ts";
import { FileDisk, type NodeDisk, SegmentDisk } from "./faults/node-disk.ts";
import type { Means } from "./means.ts";
import { FAULT_GROUPS, type FaultKind } from "./schedule.ts";

/** Of the second console: above those of a test cluster, below those that the kernel lends. */
const SECOND_PORTS = { port: 32_700, controllerPort: 32_701 };
/** Folder of the loop disks' images. */
const IMAGES = "disks";
const RESERVE_BYTES = 64 * MiB;
const LOOP_DISK_BYTES = 1_536 * MiB;
/** Short, so that chunks come and go while uploads refer to them again. */
const GC_GRACE_MS = 3 * SECOND_MS;

export interface StageTerms {
  store: ChunkStoreKind;
  nodes: number;
  kinds: readonly FaultKind[];
  means: Means;
}

export interface Stage {
  cluster: TestCluster;
  controllerPort: number;
  /** Undefined when nobody is to lose the lead. */
  secondConsole: SecondConsole | undefined;
  /** One for each node, in their order. */
  disks: NodeDisk[];
  /** Likewise; empty when nodes share the machine's own disk. */
  loopDisks: LoopDisk[];
  /** Undefined when no clock is to jump. */
  clocks: Clocks | undefined;
}

/** In `scratch`; `stack` takes it down again, and leaves the logs. */
export async function setStage(terms: StageTerms, scratch: string, stack: AsyncDisposableStack): Promise<Stage> {
  const cluster = await startCluster(terms, scratch);
  stack.defer(() => cluster.remove());
  const loopDisks: LoopDisk[] = [];
  stack.defer(async () => {
    await cluster.stop();
    cpSync(join(cluster.dataDirectory, "logs"), join(scratch, "logs"), { recursive: true });
    loopDisks.forEach((disk) => disk.unmount());
    rmSync(join(scratch, IMAGES), { recursive: true, force: true });
  });
  const clocks = terms.means.fakeTime === undefined ? undefined : new Clocks(join(scratch, "clocks"), terms.means.fakeTime);
  const hasTwoConsoles = terms.kinds.some((kind) => (FAULT_GROUPS.leader as readonly FaultKind[]).includes(kind));
  const secondConsole = hasTwoConsoles ? await startSecondConsole(cluster, SECOND_PORTS) : undefined;
  if (secondConsole !== undefined) stack.defer(() => secondConsole.stop());

  const restart = async (process: ServiceProcess, whenDown: () => void): Promise<void> => {
    await process.unplug();
    clocks?.control(process);
    whenDown();
    await process.start();
  };
  const prepareNode = (node: ServiceProcess, index: number): void => {
    if (secondConsole !== undefined) tellOfSecond(node);
    if (terms.means.loopDisks) loopDisks[index] = giveLoopDisk(cluster, node.name, scratch);
  };
  if (clocks !== undefined) await Promise.all([cluster.console, cluster.drive].map((process) => restart(process, () => undefined)));
  if (clocks !== undefined || secondConsole !== undefined || terms.means.loopDisks)
    await Promise.all(cluster.nodes.map((node, index) => restart(node, () => prepareNode(node, index))));
  const Disk = { file: FileDisk, segment: SegmentDisk }[terms.store];
  const disks = cluster.nodes.map(({ name }) => new Disk(nodeDirectory(cluster, name)));
  return { cluster, controllerPort: controllerPortOf(cluster), secondConsole, disks, loopDisks, clocks };
}

async function startCluster({ nodes, store }: StageTerms, scratch: string): Promise<TestCluster> {
  return await startTestCluster({
    directory: scratch,
    environment: {
      HOLDFAST_NODES: String(nodes),
      HOLDFAST_NODE_STORE: store,
      HOLDFAST_HEARTBEAT_MS: "300",
      HOLDFAST_DOWN_AFTER_MS: "2500", // a process that dies is back by then; what is cut off or unplugged for longer is down
      HOLDFAST_CHUNK_BYTES: String(256 * KiB),
      HOLDFAST_REPAIR_AFTER_MS: "0",
      HOLDFAST_GC_GRACE_MS: String(GC_GRACE_MS),
      HOLDFAST_NODE_RESERVE_BYTES: String(RESERVE_BYTES),
    },
  });
}

function controllerPortOf({ console: { definition } }: TestCluster): number {
  return Number(definition.environment.HOLDFAST_CONTROLLER_PORT);
}

function tellOfSecond(node: ServiceProcess): void {
  const first = node.definition.environment.HOLDFAST_CONTROLLER_ADDRESS;
  node.reconfigure({ HOLDFAST_CONTROLLER_ADDRESS: `${first},127.0.0.1:${SECOND_PORTS.controllerPort}` });
}

/** Its process must not run. */
function giveLoopDisk(cluster: TestCluster, name: string, scratch: string): LoopDisk {
  const images = join(scratch, IMAGES);
  mkdirSync(images, { recursive: true });
  const directory = nodeDirectory(cluster, name);
  const aside = `${directory}.aside`;
  renameSync(directory, aside);
  const disk = new LoopDisk(join(images, name), directory, LOOP_DISK_BYTES);
  cpSync(aside, directory, { recursive: true });
  disk.sync(); // ours to make durable: the node believes that it was
  return disk;
}

function nodeDirectory(cluster: TestCluster, name: string): string {
  const directory = join(cluster.dataDirectory, "nodes", name);
  if (!existsSync(directory)) throw new Error(`${name} has no directory ${directory}`);
  return directory;
}
