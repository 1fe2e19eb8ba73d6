import { setTimeout as delay } from "node:timers/promises";
import type { TestCluster } from "@holdfast/cluster/testing";
import { GiB, MiB } from "@holdfast/core/kernel";
import { DriveDoor } from "../load/drive-door.ts";
import { peakBytes, residentBytes, resetPeak } from "../measure/books.ts";
import { MB, type Row } from "../report/row.ts";
import type { ClusterScenario } from "../scenario.ts";

const IDLE_MS = 10_000;
const UPLOADS = 64;
const UPLOAD_BYTES = 32 * MiB;

/** Resident memory: of nodes that have nothing to do, and the gateway's peak by the size of an upload, then under many. */
export const memory: ClusterScenario = {
  number: 11,
  name: "memory",
  title: "memory of the nodes and the gateway",
  kind: "cluster",
  async measure(cluster, { gib = 4 }) {
    const door = new DriveDoor(cluster);
    await delay(IDLE_MS);
    const idle = row("a node, idle", nodesNow(cluster), 120);
    const gateway = cluster.drive.pid!;
    const small = await peakDuring(gateway, () => door.put("a quarter", GiB / 4));
    const large = await peakDuring(gateway, () => door.put("all of it", gib * GiB));
    const many = await peakDuring(gateway, () =>
      Promise.all(Array.from({ length: UPLOADS }, (_, index) => door.put(`many-${index}`, UPLOAD_BYTES))),
    );
    await door.close();
    return [
      idle,
      row("the gateway, one upload of 256 MiB: its peak", [small]),
      row(`the gateway, one upload of ${gib} GiB: its peak`, [large]),
      row("the gateway, 64 uploads at once: its peak", [many], 350),
      row("a node afterwards", nodesNow(cluster)),
    ];
  },
};

function nodesNow({ nodes }: TestCluster): number[] {
  return nodes.map(({ pid }) => residentBytes(pid!));
}

async function peakDuring(pid: number, work: () => Promise<unknown>): Promise<number> {
  resetPeak(pid);
  await work();
  return peakBytes(pid);
}

function row(name: string, bytes: readonly number[], atMost?: number): Row {
  return {
    name,
    unit: "MB",
    values: bytes.map((value) => value / MB),
    ...(atMost !== undefined && { targets: [{ of: "value", atMost }] }),
  };
}
