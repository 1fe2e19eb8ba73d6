/** Runs scenarios: each on a cluster of its own, so that none finds what another left, and on peers beside it. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startTestCluster, type TestCluster } from "@holdfast/cluster/testing";
import { DriveDoor } from "./load/drive-door.ts";
import type { Peer } from "./peers/peer.ts";
import type { Section } from "./report/cells.ts";
import type { Row } from "./report/row.ts";
import type { ClusterScenario, DoorScenario, Scenario, Settings } from "./scenario.ts";

export interface RunOptions {
  settings: Settings;
  /** Where clusters and peers keep their data. */
  directory: string;
  /** What nodes keep chunks in; each scenario runs on all of them in turn. Undefined for what they choose by themselves. */
  stores: readonly (string | undefined)[];
  peers: readonly Peer[];
  say: (line: string) => void;
}

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Section[]> {
  const { number, title } = scenario;
  const sections: Section[] = [];
  for (const [subject, measured] of subjectsOf(scenario, options)) {
    options.say(`${number}. ${title}: ${subject}`);
    sections.push({ number, title, subject, ...(await orFailure(measured)) });
  }
  return sections;
}

/** On what it is measured, and how. */
function subjectsOf(scenario: Scenario, options: RunOptions): [string, () => Promise<Row[]>][] {
  if (scenario.kind === "pure") return [["this process", () => scenario.measure(options.settings)]];
  const name = (store: string | undefined): string => (store === undefined ? "Drive" : `Drive, ${store} store`);
  const drives = options.stores.map((store): [string, () => Promise<Row[]>] => [name(store), () => onCluster(scenario, store, options)]);
  if (scenario.kind === "cluster") return drives;
  return [...drives, ...options.peers.map((peer): [string, () => Promise<Row[]>] => [peer.title, () => onPeer(scenario, peer, options)])];
}

/** One that fails must not cost hours of others. */
async function orFailure(measured: () => Promise<Row[]>): Promise<Pick<Section, "rows" | "failure">> {
  try {
    return { rows: await measured() };
  } catch (error) {
    return { rows: [], failure: String(error) };
  }
}

async function onCluster(scenario: DoorScenario | ClusterScenario, store: string | undefined, options: RunOptions): Promise<Row[]> {
  const special = scenario.kind === "cluster" ? scenario.environment : undefined;
  const environment = { HOLDFAST_LOG_LEVEL: "warn", ...(store !== undefined && { HOLDFAST_NODE_STORE: store }), ...special };
  const cluster = await startTestCluster({ environment, directory: options.directory });
  try {
    return scenario.kind === "cluster"
      ? await scenario.measure(cluster, options.settings)
      : await throughDrive(scenario, cluster, options.settings);
  } finally {
    await cluster.remove();
  }
}

async function throughDrive(scenario: DoorScenario, cluster: TestCluster, settings: Settings): Promise<Row[]> {
  const door = new DriveDoor(cluster);
  const rows = await scenario.measure(door, settings);
  await door.close();
  return rows;
}

async function onPeer(scenario: DoorScenario, peer: Peer, { directory, settings }: RunOptions): Promise<Row[]> {
  const data = mkdtempSync(join(directory, `holdfast-peer-${peer.name}-`));
  try {
    const door = await peer.open(data);
    try {
      return (await scenario.measure(door, settings)).map((row) => ({ ...row, targets: [] })); // the claims are ours
    } finally {
      await door.close();
    }
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}
