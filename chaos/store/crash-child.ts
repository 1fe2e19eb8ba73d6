/**
 * The process that is struck: opens a store, says that it is ready, waits to be told to go, plays a script, and tells each
 * outcome the moment it knows it. Arguments: the kind of store, its directory, the script.
 */
import { readdirSync, readFileSync, readSync, writeSync } from "node:fs";
import { ChunkStoreError } from "@holdfast/core/chunk-store";
import { type StoreKind, storeKinds } from "@holdfast/core/chunk-store/testing/stores";
import type { ChunkId } from "@holdfast/core/chunking";
import { unreachable } from "@holdfast/core/kernel";
import { type Action, crashScripts, scriptChunk } from "./crash-scripts.ts";

/** What is told when it is ready: which thread does what the store does in the background. */
export interface Ready {
  pool: number;
}

/** Of the action at this place, counted through all steps: an error's code, or whether it found something to do. */
export interface Told {
  action: number;
  outcome: string | boolean;
}

const [kindName, directory, scriptName] = process.argv.slice(2) as [keyof typeof storeKinds, string, keyof typeof crashScripts];
const kind: StoreKind = storeKinds[kindName];
let store = await kind.open(directory);
tell({ pool: poolThread() });
readSync(0, Buffer.alloc(1));

let next = 0;
for (const step of crashScripts[scriptName]) {
  const first = next;
  next += step.length;
  await Promise.all(step.map(async (action, index) => tell({ action: first + index, outcome: await outcomeOf(perform(action)) })));
}
await store.close();
tell("closed");

/** Never through a stream: what was told must have left the process before anything else happens. */
function tell(line: Ready | Told | "closed"): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

function poolThread(): number {
  const threads = readdirSync("/proc/self/task");
  return Number(threads.find((thread) => readFileSync(`/proc/self/task/${thread}/comm`, "utf8").startsWith("libuv-worker")));
}

async function perform(action: Action): Promise<boolean> {
  switch (action.kind) {
    case "put":
      return (await store.put(idOf(action), scriptChunk(action.chunk).bytes)).stored;
    case "trash":
      return (await store.trash([idOf(action)])).length === 1;
    case "restore":
      return (await store.restore([idOf(action)])).length === 1;
    case "delete":
      return await store.delete(idOf(action));
    case "purge":
      return (await store.purgeTrash(-1)).chunks > 0;
    case "compact":
      await kind.compact?.(store);
      return true;
    case "reopen":
      await store.close();
      store = await kind.open(directory);
      return true;
    default:
      return unreachable(action);
  }
}

function idOf({ chunk }: { chunk: number }): ChunkId {
  return scriptChunk(chunk).id;
}

async function outcomeOf(performed: Promise<boolean>): Promise<Told["outcome"]> {
  try {
    return await performed;
  } catch (error) {
    if (error instanceof ChunkStoreError) return error.code;
    throw error;
  }
}
