import { readFileSync, writeFileSync } from "node:fs";
import type { ChunkTrash } from "@holdfast/core/chunk-store";
import type { ChunkId } from "@holdfast/core/chunking";
import { describeChunkStore, describeChunkTrash } from "@holdfast/core/chunk-store/testing";
import { httpStore } from "@holdfast/core/node-client/testing";
import { CLUSTER_KEY, startTestNode } from "./testing/index.ts";

const setUp = async () => {
  const node = await startTestNode();
  const trash: ChunkTrash = {
    trash: (ids) => node.commands.trash(ids, 1),
    restore: (ids) => node.commands.restore(ids, 1),
    listTrash: (after, limit) => node.commands.listTrash(after, limit),
    purgeTrash: (olderThanMs) => node.commands.purgeTrash(olderThanMs, 1),
  };
  return {
    port: node.port,
    store: node.client,
    trash,
    drop: () => node.drop(),
    damage: async (id: ChunkId) => flipLastBit(node.chunkPath(id)),
    damageTrashed: async (id: ChunkId) => flipLastBit(node.chunkPath(id).replace("/chunks/", "/trash/")),
  };
};

const setUpOverHttp = async () => {
  const subject = await setUp();
  const store = httpStore(`127.0.0.1:${subject.port}`, CLUSTER_KEY);
  return { ...subject, store, drop: () => store.close().then(subject.drop) };
};

describeChunkStore("a node over chunk streams", setUp);
describeChunkStore("a node over HTTP", setUpOverHttp);
describeChunkTrash("a node over HTTP", setUp);

function flipLastBit(path: string): void {
  const file = readFileSync(path);
  file[file.length - 1]! ^= 1;
  writeFileSync(path, file);
}
