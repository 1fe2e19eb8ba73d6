/** Where each chunk may be after a script that came to a bad end, and where it is. */
import type { LocalChunkStore } from "@holdfast/core/chunk-store";
import { unreachable } from "@holdfast/core/kernel";
import type { Told } from "./crash-child.ts";
import { type Action, chunksOf, crashScripts, type CrashScriptName, scriptChunk, type Step } from "./crash-scripts.ts";

type Place = "held" | "trashed" | "gone";

/** More than one place: the last that was asked was not answered, or may be undone. */
export type Places = ReadonlyMap<number, ReadonlySet<Place>>;

/** `mayUndo`: deletions are not synced, so a power cut may take them back. */
export function placesAfter(name: CrashScriptName, outcomes: ReadonlyMap<number, Told["outcome"]>, mayUndo: boolean): Places {
  const steps: readonly Step[] = crashScripts[name];
  const places = new Map<number, ReadonlySet<Place>>(chunksOf(steps).map((chunk) => [chunk, new Set(["gone"])]));
  let first = 0;
  for (const step of steps) {
    for (const [index, action] of step.entries()) {
      for (const chunk of concerned(action, places))
        places.set(chunk, after(action, places.get(chunk)!, outcomes.get(first + index), mayUndo));
    }
    if (step.some((_action, index) => !outcomes.has(first + index))) break; // the next was never begun
    first += step.length;
  }
  return places;
}

function concerned(action: Action, places: Places): Iterable<number> {
  return "chunk" in action ? [action.chunk] : places.keys();
}

function after(action: Action, before: ReadonlySet<Place>, outcome: Told["outcome"] | undefined, mayUndo: boolean): ReadonlySet<Place> {
  const isSure = typeof outcome === "boolean";
  const possibly = (place: Place): ReadonlySet<Place> => new Set([...before, place]);
  switch (action.kind) {
    case "put":
      return isSure ? new Set(["held"]) : possibly("held");
    case "restore":
      return outcome === true ? new Set(["held"]) : !isSure && before.has("trashed") ? possibly("held") : before;
    case "trash":
      return outcome === true ? new Set(["trashed"]) : !isSure && before.has("held") ? possibly("trashed") : before;
    case "delete":
      if (outcome === false || !before.has("held")) return before;
      return isSure && !mayUndo ? new Set(["gone"]) : possibly("gone");
    case "purge":
      if (outcome === false || !before.has("trashed")) return before;
      return isSure && !mayUndo ? new Set([...before, "gone" as const].filter((place) => place !== "trashed")) : possibly("gone");
    case "compact":
    case "reopen":
      return before;
    default:
      return unreachable(action);
  }
}

/** In what the store is not as it must be; empty when all is well. Reads every chunk that it says it holds. */
export async function differences(store: LocalChunkStore, expected: Places): Promise<string[]> {
  const found: string[] = [];
  const [held, trashed, lost, stats] = [
    new Set((await store.list(undefined, expected.size + 1)).map(({ id }) => id)),
    new Set((await store.listTrash(undefined, expected.size + 1)).map(({ id }) => id)),
    await store.lost(undefined, expected.size),
    await store.stats(),
  ];
  for (const [chunk, places] of expected) {
    const { id, bytes } = scriptChunk(chunk);
    const [isHeld, isTrashed] = [held.delete(id), trashed.delete(id)];
    const place = isHeld ? "held" : isTrashed ? "trashed" : "gone";
    if (isHeld && isTrashed) found.push(`chunk ${chunk} is held and in the trash`);
    if (!places.has(place)) found.push(`chunk ${chunk} is ${place}, not ${[...places].join(" or ")}`);
    const read = await store.get(id).catch((error: { code: string }) => error.code);
    const isRight = place === "held" ? Buffer.isBuffer(read) && read.equals(bytes) : read === "chunk.not_found";
    if (!isRight) found.push(`chunk ${chunk}, ${place}, reads as ${Buffer.isBuffer(read) ? "other bytes" : read}`);
    if (!(await tellsItsEnd(store, chunk, place))) found.push(`the end of chunk ${chunk}, ${place}, reads as something else`);
  }
  if (held.size + trashed.size > 0) found.push(`chunks that nobody put: ${[...held, ...trashed].join(", ")}`);
  if (lost.length > 0 || stats.corruptChunks > 0)
    found.push(`${lost.length} chunks lost, ${stats.corruptChunks} corrupt, though no bit was flipped`);
  return found;
}

/** The last half of a chunk may not be told by itself; if it is, it is right. */
async function tellsItsEnd(store: LocalChunkStore, chunk: number, place: Place): Promise<boolean> {
  const { id, bytes } = scriptChunk(chunk);
  const from = Math.floor(bytes.length / 2);
  const told = await store.getPart(id, { from, to: bytes.length });
  return told === undefined || (place === "held" && told.equals(bytes.subarray(from)));
}

/** Asks once more for everything, so that all of it is acknowledged: what is in the trash stays there, all else is put. */
export async function askAgain(store: LocalChunkStore, expected: Places): Promise<Places> {
  const trashed = new Set((await store.listTrash(undefined, expected.size)).map(({ id }) => id));
  const settled = new Map<number, ReadonlySet<Place>>();
  for (const chunk of expected.keys()) {
    const { id, bytes } = scriptChunk(chunk);
    if (trashed.has(id)) await store.trash([id]);
    else await store.put(id, bytes);
    settled.set(chunk, new Set([trashed.has(id) ? "trashed" : "held"]));
  }
  return settled;
}

/** All chunks held, and those in the trash brought back. */
export async function restoreAll(store: LocalChunkStore, expected: Places): Promise<string[]> {
  for (const { id } of await store.listTrash(undefined, expected.size)) {
    if ((await store.restore([id])).length === 0) return [`${id} cannot be restored`];
  }
  return differences(store, new Map([...expected.keys()].map((chunk) => [chunk, new Set(["held"])])));
}
