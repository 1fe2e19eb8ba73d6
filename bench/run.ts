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
  /** What nodes keep chunks in; each scenario runs on all of them in turn. */
  stores: readonly string[];
  peers: readonly Peer[];
  say: (line: string) => void;
}

export async function runScenario(scenario: Scenario, options: RunOptions): Promise<Section[]> {
  const { number, title } = scenario;
  const section = (subject: string, rows: Row[]): Section => ({ number, title, subject, rows });
  options.say(`${number}. ${title}`);
  if (scenario.kind === "pure") return [section("this process", await scenario.measure(options.settings))];
  const sections: Section[] = [];
  for (const store of options.stores) {
    const subject = options.stores.length > 1 ? `Drive, ${store} store` : "Drive";
    sections.push(section(subject, await onCluster(scenario, store, options)));
  }
  if (scenario.kind === "door") {
    for (const peer of options.peers) sections.push(section(peer.title, await onPeer(scenario, peer, options)));
  }
  return sections;
}

async function onCluster(scenario: DoorScenario | ClusterScenario, store: string, options: RunOptions): Promise<Row[]> {
  const special = scenario.kind === "cluster" ? scenario.environment : undefined;
  const environment = { HOLDFAST_LOG_LEVEL: "warn", HOLDFAST_NODE_STORE: store, ...special };
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

async function onPeer(scenario: DoorScenario, peer: Peer, { directory, settings, say }: RunOptions): Promise<Row[]> {
  say(`   the same with ${peer.title}`);
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
