import type { ChunkId } from "../../../chunking/index.ts";
import { HOUR_MS, unreachable } from "../../../kernel/index.ts";
import type { StoreKind } from "../stores/index.ts";
import { modelChunks } from "./chunks.ts";
import type { Operation } from "./operations.ts";
import { Twins } from "./twins.ts";

/** Rejects with an `AssertionError` at the first step after which store and model differ. Leaves the store closed. */
export async function followModel(kind: StoreKind, directory: string, operations: readonly Operation[]): Promise<void> {
  const twins = new Twins(kind, directory);
  await twins.open();
  try {
    for (const operation of [...operations, { kind: "reopen" } as const]) {
      await perform(twins, operation);
      await twins.agree();
    }
  } finally {
    await twins.close();
  }
}

async function perform(twins: Twins, operation: Operation): Promise<void> {
  switch (operation.kind) {
    case "put":
    case "get":
    case "delete":
    case "trash":
    case "restore":
      return twins.together([operation]);
    case "together":
      return operation.besideCompaction ? twins.besideCompaction(operation.parts) : twins.together(operation.parts);
    case "get-part":
      return twins.part(idAt(operation.chunk), operation.at, operation.length);
    case "put-bytes-of":
      return twins.same((store) => store.put(idAt(operation.chunk), modelChunks[operation.bytesOf]!.bytes));
    case "put-length":
      return twins.same((store) => store.put(idAt(operation.chunk), Buffer.alloc(operation.length)));
    case "trash-many":
      return twins.same((store) => store.trash(operation.chunks.map(idAt)));
    case "restore-many":
      return twins.same((store) => store.restore(operation.chunks.map(idAt)));
    case "list":
      return twins.same((store) => store.list(after(operation), operation.limit));
    case "list-trash":
      return twins.sameTrash(after(operation), operation.limit);
    case "lost":
      return twins.sameLost(after(operation), operation.limit);
    case "purge":
      return twins.purge(operation.olderThanHours * HOUR_MS);
    case "wait":
      return twins.wait(operation.hours * HOUR_MS);
    case "damage":
      return twins.damage(idAt(operation.chunk), operation.at);
    case "compact":
      return twins.besideCompaction([]);
    case "reopen":
      return twins.reopen();
    default:
      return unreachable(operation);
  }
}

function idAt(chunk: number): ChunkId {
  return modelChunks[chunk]!.id;
}

function after(page: { after: number | undefined }): ChunkId | undefined {
  return page.after === undefined ? undefined : idAt(page.after);
}
