import { statfsSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";
import { GiB } from "@holdfast/core/kernel";
import { load } from "./measure/books.ts";
import { figure } from "./report/cells.ts";

const TMPFS = 0x01021994;

/** What has to be known of a run to understand its figures. */
export function circumstances(directory: string, rounds: number): Record<string, string> {
  const cores = cpus();
  const isMemory = statfsSync(directory).type === TMPFS;
  return {
    machine: `${cores.length} × ${cores[0]!.model.trim()}, ${figure(totalmem() / GiB)} GiB, ${arch()}, Linux ${release()}, Node ${process.versions.node}`,
    "load at the start": `${figure(load())} processes wanting ${cores.length} cores${load() > cores.length / 4 ? ": not a quiet machine" : ""}`,
    data: isMemory ? `${directory}, in memory: syncing costs nothing, so this is the page cache alone` : `${directory}, durable`,
    rounds: String(rounds),
  };
}
