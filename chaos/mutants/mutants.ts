import type { Mutant } from "./mutant.ts";
import { segmentMutants } from "./segment-mutants.ts";

const CHUNK_STORE = "packages/core/src/chunk-store";
const CHUNK_TRANSPORT = "packages/core/src/chunk-transport";
const REPACKING = "packages/core/src/repacking";
const DOWNLOAD = "packages/core/src/download";
const GARBAGE = "packages/core/src/garbage-collection";

const readUnchecked = {
  file: `${CHUNK_STORE}/chunk-file.ts`,
  find: "isWhole && header.equals(chunkFileHeader(id, bytes.length)) && chunkIdOf(bytes) === id ? bytes : undefined",
  replace: "isWhole ? bytes : undefined",
};
const arrivalUnchecked = {
  file: "packages/core/src/node-client/http-chunk-store.ts",
  find: "if (chunkIdOf(answer.body) === id) return answer.body;",
  replace: "return answer.body;",
};

export const mutants: readonly Mutant[] = [
  {
    name: "a chunk is acknowledged without fsync of its file",
    patches: [{ file: `${CHUNK_STORE}/durable-write.ts`, find: "    await sync(file, path);\n", replace: "" }],
    caughtBy: { project: "cluster", tests: "chaos/power-cut" },
  },
  {
    name: "a chunk is acknowledged without fsync of its directory",
    patches: [{ file: `${CHUNK_STORE}/durable-write.ts`, find: "  await syncDirectory(dirname(destination), fileSystem);\n", replace: "" }],
    caughtBy: { project: "cluster", tests: "chaos/power-cut" },
  },
  {
    name: "a node does not check what it reads",
    patches: [readUnchecked],
    caughtBy: { project: "unit", tests: `${CHUNK_STORE}/file-chunk-store` },
  },
  {
    name: "a gateway does not check what arrives",
    patches: [arrivalUnchecked],
    caughtBy: { project: "unit", tests: "packages/core/src/node-client" },
  },
  {
    name: "neither the node nor the gateway checks what is read",
    patches: [readUnchecked, arrivalUnchecked],
    caughtBy: { chaos: ["--seed", "1", "--minutes", "0.4", "--faults", "flip-bit", "--settle", "5"] },
  },
  {
    name: "a gateway does not check a part that arrives",
    patches: [
      {
        file: `${CHUNK_TRANSPORT}/client-session.ts`,
        find: "if (!isSealed({ number, id, part }, body, seal!, this.#key)) throw",
        replace: "if (seal === undefined) throw",
      },
    ],
    caughtBy: { project: "unit", tests: "packages/core/src/node-client" },
  },
  {
    name: "the seal of a part is good for any part of any chunk",
    patches: [
      {
        file: `${CHUNK_TRANSPORT}/parts.ts`,
        find: `return macOf("seal", asked, key, blake3(bytes));`,
        replace: `return macOf("seal", { ...asked, number: 0, part: { from: 0, to: 0 } }, key, blake3(bytes));`,
      },
    ],
    caughtBy: { project: "unit", tests: CHUNK_TRANSPORT },
  },
  {
    name: "which part is asked for is not signed",
    patches: [
      {
        file: `${CHUNK_TRANSPORT}/parts.ts`,
        find: `!timingSafeEqual(macOf("part", { number, id, part }, key), body.subarray(MAC_AT))`,
        replace: `!timingSafeEqual(macOf("part", { number, id, part }, key), macOf("part", { number, id, part }, key))`,
      },
    ],
    caughtBy: { project: "unit", tests: CHUNK_TRANSPORT },
  },
  {
    name: "a reader begins at the beginning of a pack",
    patches: [
      {
        file: `${DOWNLOAD}/extents.ts`,
        find: "from: chunkOffset + from, to: chunkOffset + to",
        replace: "from, to",
      },
    ],
    caughtBy: { project: "unit", tests: `${DOWNLOAD}/downloads` },
  },
  {
    name: "what is left of a pack is believed to be all there",
    patches: [
      {
        file: `${REPACKING}/repacker.ts`,
        find: "bytes.length !== packLength || !kept.every(isThere)",
        replace: "bytes.length !== packLength",
      },
    ],
    caughtBy: { project: "unit", tests: REPACKING },
  },
  {
    name: "extents move to a chunk whose copies are being trashed",
    patches: [
      {
        file: `${REPACKING}/move-extents.ts`,
        find: "(NOT $10::boolean OR trashing_until >= $5)",
        replace: "NOT $10::boolean",
      },
    ],
    caughtBy: { project: "unit", tests: REPACKING },
  },
  {
    name: "extents move to a chunk whose row somebody else holds",
    patches: [
      {
        file: `${REPACKING}/move-extents.ts`,
        find: "(NOT $10::boolean OR trashing_until >= $5)",
        replace: "($10::boolean IS NULL OR trashing_until >= $5)",
      },
    ],
    caughtBy: { project: "unit", tests: REPACKING },
  },
  {
    name: "extents move without a look at who is about to refer to the pack",
    patches: [
      {
        file: `${REPACKING}/move-extents.ts`,
        find: "ORDER BY id FOR UPDATE SKIP LOCKED",
        replace: "ORDER BY id",
      },
    ],
    caughtBy: { project: "unit", tests: REPACKING },
  },
  {
    name: "an upload is acknowledged at one copy",
    patches: [
      {
        file: "packages/core/src/replication/replicated-write.ts",
        find: "this.#acknowledged.length >= this.#plan.quorum",
        replace: "this.#acknowledged.length >= 1",
      },
    ],
    caughtBy: { project: "unit", tests: "packages/core/src/replication" },
  },
  {
    name: "a leader's write does not check its epoch",
    patches: [
      { file: "packages/core/src/leadership/leadership.ts", find: "  return rowCount === 1;\n", replace: "  return rowCount !== null;\n" },
    ],
    caughtBy: { project: "unit", tests: "packages/core/src/leadership" },
  },
  {
    name: "an upload's offset is set without comparing",
    patches: [
      {
        file: "packages/core/src/upload/commit-chunks.ts",
        find: `WHERE id = $1 AND "offset" = $2 AND state = 'receiving'`,
        replace: `WHERE id = $1 AND ("offset" = $2 OR $2 IS NOT NULL) AND state = 'receiving'`,
      },
    ],
    caughtBy: { project: "unit", tests: "packages/core/src/upload" },
  },
  {
    name: "nobody takes up an upload whose last answer was lost",
    patches: [
      {
        file: "packages/core/src/upload/finalise.ts",
        find: `upload.state !== "complete"`,
        replace: `!skipLocked || upload.state !== "complete"`,
      },
    ],
    caughtBy: { project: "unit", tests: "packages/core/src/upload/faults" },
  },
  {
    name: "a node obeys a leader who was replaced",
    patches: [
      { file: "apps/node/src/epoch-memory.ts", find: "    if (epoch >= this.highest) return;\n", replace: "    if (epoch >= 0) return;\n" },
    ],
    caughtBy: { project: "unit", tests: "apps/node/src/epoch-memory" },
  },
  {
    name: "references are not asked for again before a chunk is condemned",
    patches: [
      {
        file: `${GARBAGE}/condemn.ts`,
        find: "WHERE id = ANY ($1::bytea[]) AND ${IS_UNREFERENCED} RETURNING",
        replace: "WHERE id = ANY ($1::bytea[]) RETURNING",
      },
    ],
    caughtBy: { project: "unit", tests: GARBAGE },
  },
  {
    name: "the collector goes on in safemode",
    patches: [{ file: `${GARBAGE}/collector.ts`, find: "    if (safemode.isOn()) return safemode.why();\n", replace: "" }],
    caughtBy: { project: "unit", tests: GARBAGE },
  },
  {
    name: "the last look into a node's trash before it is purged is left out",
    patches: [{ file: `${GARBAGE}/purge.ts`, find: "await restoreNeeded(pool, commands, options)", replace: "0" }],
    caughtBy: { project: "unit", tests: GARBAGE },
  },
  {
    name: "a reader is handed the very memory in which a hot chunk is kept",
    patches: [
      {
        file: `${DOWNLOAD}/hot-chunks.ts`,
        find: "return copy.subarray(0, bytes.copy(copy, 0, from, to));",
        replace: "return copy.length > 0 ? bytes.subarray(from, to) : copy;",
      },
    ],
    caughtBy: { project: "unit", tests: DOWNLOAD },
  },
  {
    name: "a hot chunk is not compared with its checks again",
    patches: [
      {
        file: `${DOWNLOAD}/hot-chunks.ts`,
        find: "if (areBlocksWhole(id, { bytes: bytes.subarray(from, to), checks }, from)) return bytes;",
        replace: "if (areBlocksWhole(id, { bytes: bytes.subarray(from, to), checks }, from) || to > from) return bytes;",
      },
    ],
    caughtBy: { project: "unit", tests: DOWNLOAD },
  },
  {
    name: "a bad copy that was read stays among the chunk's replicas",
    patches: [
      {
        file: `${DOWNLOAD}/bad-copies.ts`,
        find: "  if (!replicas.includes(node.id)) return;",
        replace: "  if (replicas.length > 0) return;",
      },
    ],
    caughtBy: { project: "unit", tests: DOWNLOAD },
  },
  ...segmentMutants,
];
