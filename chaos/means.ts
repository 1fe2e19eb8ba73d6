/** What some faults need and not every machine has: root's rights, strace, libfaketime. Each is tried before the run. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "@holdfast/core/kernel";
import { tryStrace } from "./faults/bad-disk.ts";
import { findFakeTime } from "./faults/clocks.ts";
import { LoopDisk } from "./faults/loop-disk.ts";
import { preparePrivateNetwork } from "./faults/network.ts";
import { FAULT_GROUPS, type FaultKind } from "./schedule.ts";

export interface Means {
  /** We are alone in this network namespace. */
  ownNetwork: boolean;
  /** Each node gets a file system of its own. */
  loopDisks: boolean;
  strace: boolean;
  /** The library that makes clocks jump. */
  fakeTime: string | undefined;
}

const NEEDS: Record<keyof Means, readonly FaultKind[]> = {
  ownNetwork: FAULT_GROUPS.partition,
  loopDisks: [...FAULT_GROUPS["power-cut"], ...FAULT_GROUPS["disk-full"], "lying-disk"],
  strace: FAULT_GROUPS.disk,
  fakeTime: FAULT_GROUPS.clock,
};

export interface MeansTerms {
  wanted: readonly FaultKind[];
  /** In the namespaces that were made for the run. */
  isInside: boolean;
  directory: string;
  say: (line: string) => void;
}

/** Only what is needed is tried. `possible` are the wanted faults that can be done here. */
export function findMeans({ wanted, isInside, directory, say }: MeansTerms): { means: Means; possible: FaultKind[] } {
  const tried = <T>(what: string, attempt: () => T): T | undefined => {
    try {
      return attempt();
    } catch (error) {
      say(`no ${what} here: ${(error as Error).message.trim()}`);
      return undefined;
    }
  };
  const isNeeded = (need: keyof Means): boolean => wanted.some((kind) => NEEDS[need].includes(kind));
  const means: Means = {
    ownNetwork: isInside && tried("partitions", () => done(preparePrivateNetwork)) === true,
    loopDisks: isNeeded("loopDisks") && tried("power cuts and full disks", () => done(() => tryLoopDisk(directory))) === true,
    strace: isNeeded("strace") && tried("failing disks", () => done(tryStrace)) === true,
    fakeTime: isNeeded("fakeTime") ? tried("clock jumps", findFakeTime) : undefined,
  };
  const lacking = (Object.keys(NEEDS) as (keyof Means)[]).filter((need) => !means[need]).flatMap((need) => NEEDS[need]);
  return { means, possible: wanted.filter((kind) => !lacking.includes(kind)) };
}

function done(attempt: () => void): true {
  attempt();
  return true;
}

function tryLoopDisk(directory: string): void {
  const scratch = mkdtempSync(join(directory, "holdfast-probe-"));
  try {
    const disk = new LoopDisk(join(scratch, "image"), join(scratch, "disk"), 32 * MiB);
    disk.cutPower();
    disk.unmount();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
