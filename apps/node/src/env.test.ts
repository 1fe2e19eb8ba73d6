import { expect, test } from "vitest";
import { nodeSettings } from "./env.ts";

const given = (settings: NodeJS.ProcessEnv) => nodeSettings({ HOLDFAST_CLUSTER_KEY: "k".repeat(32), ...settings });

test("what is set to nothing is not set: no reserve is given up by an empty line, no port becomes any port", () => {
  expect(given({ HOLDFAST_NODE_RESERVE_BYTES: "", HOLDFAST_NODE_GRPC_PORT: "" })).toMatchObject({
    reserveBytes: undefined,
    grpcPort: undefined,
  });
  expect(given({ HOLDFAST_NODE_RESERVE_BYTES: "0", HOLDFAST_NODE_GRPC_PORT: "0" })).toMatchObject({ reserveBytes: 0, grpcPort: 0 });
});

test("how a node keeps its chunks is what its disk says, unless somebody says it in words that are known", () => {
  expect(given({ HOLDFAST_NODE_STORE: "" }).store).toBeUndefined();
  expect(given({ HOLDFAST_NODE_STORE: "segment" }).store).toBe("segment");
  expect(() => given({ HOLDFAST_NODE_STORE: "tape" })).toThrow("HOLDFAST_NODE_STORE: must be file or segment");
});
