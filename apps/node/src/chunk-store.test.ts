import { type ChunkStoreKind, chunkStoreKinds, type ChunkTrash } from "@holdfast/core/chunk-store";
import type { ChunkId } from "@holdfast/core/chunking";
import { describeChunkStore, describeChunkTrash } from "@holdfast/core/chunk-store/testing";
import { httpStore } from "@holdfast/core/node-client/testing";
import { CLUSTER_KEY, startTestNode } from "./testing/index.ts";

const setUp = async (kind: ChunkStoreKind) => {
  const node = await startTestNode({ store: kind });
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
    damage: (id: ChunkId) => node.damage(id),
    damageTrashed: (id: ChunkId) => node.damage(id),
  };
};

const setUpOverHttp = async (kind: ChunkStoreKind) => {
  const subject = await setUp(kind);
  const store = httpStore(`127.0.0.1:${subject.port}`, CLUSTER_KEY);
  return { ...subject, store, drop: () => store.close().then(subject.drop) };
};

describeChunkStore("a node with segments over chunk streams", () => setUp("segment"));
describeChunkStore("a node with files over HTTP", () => setUpOverHttp("file"));
for (const kind of chunkStoreKinds) describeChunkTrash(`a node with a ${kind} store over HTTP`, () => setUp(kind));
