import { readFileSync, writeFileSync } from "node:fs";
import type { ChunkTrash } from "@holdfast/core/chunk-store";
import type { ChunkId } from "@holdfast/core/chunking";
import { describeChunkStore, describeChunkTrash } from "@holdfast/core/chunk-store/testing";
import { startTestNode } from "./testing/index.ts";

const setUp = async () => {
  const node = await startTestNode();
  const trash: ChunkTrash = {
    trash: (ids) => node.commands.trash(ids, 1),
    restore: (ids) => node.commands.restore(ids, 1),
    listTrash: (after, limit) => node.commands.listTrash(after, limit),
    purgeTrash: (olderThanMs) => node.commands.purgeTrash(olderThanMs, 1),
  };
  return {
    store: node.client,
    trash,
    drop: () => node.drop(),
    damage: async (id: ChunkId) => flipLastBit(node.chunkPath(id)),
    damageTrashed: async (id: ChunkId) => flipLastBit(node.chunkPath(id).replace("/chunks/", "/trash/")),
  };
};

describeChunkStore("a node over HTTP", setUp);
describeChunkTrash("a node over HTTP", setUp);

function flipLastBit(path: string): void {
  const file = readFileSync(path);
  file[file.length - 1]! ^= 1;
  writeFileSync(path, file);
}
