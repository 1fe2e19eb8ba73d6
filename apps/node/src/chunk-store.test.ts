import { readFileSync, writeFileSync } from "node:fs";
import { describeChunkStore } from "@holdfast/core/chunk-store/testing";
import { startTestNode } from "./testing/index.ts";

describeChunkStore("a node over HTTP", async () => {
  const node = await startTestNode();
  return {
    store: node.client,
    drop: () => node.drop(),
    async damage(id) {
      const file = readFileSync(node.chunkPath(id));
      file[file.length - 1]! ^= 1;
      writeFileSync(node.chunkPath(id), file);
    },
  };
});
