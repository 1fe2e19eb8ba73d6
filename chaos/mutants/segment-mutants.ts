import type { Mutant } from "./mutant.ts";

const SEGMENTS = "packages/core/src/chunk-store/segments";
const BLOCK_CHECKS = "packages/core/src/chunk-store/block-checks.ts";
const caughtBy = { project: "unit", tests: SEGMENTS } as const;

/** The guards of the segment store. */
export const segmentMutants: readonly Mutant[] = [
  {
    name: "a segment's chunks are acknowledged without a sync",
    patches: [{ file: `${SEGMENTS}/group-commit.ts`, find: "await this.#sync(file).then(", replace: "await Promise.resolve().then(" }],
    caughtBy: { project: "cluster", tests: "chaos/power-cut" },
  },
  {
    name: "a segment's footer is trusted without its hash",
    patches: [
      {
        file: `${SEGMENTS}/footer.ts`,
        find: "  if (!blake3(records).equals(last.subarray(HASH_AT, HASH_AT + 32))) return undefined;\n",
        replace: "",
      },
    ],
    caughtBy,
  },
  {
    name: "an event counts whatever generation of its segment it is of",
    patches: [
      {
        file: `${SEGMENTS}/chunk-event.ts`,
        find: "blake3(Buffer.concat([generation, bytes.subarray(0, CHECK_AT)]))",
        replace: "blake3(bytes.subarray(0, CHECK_AT))",
      },
    ],
    caughtBy,
  },
  {
    name: "half an event counts, too",
    patches: [
      {
        file: `${SEGMENTS}/chunk-event.ts`,
        find: "state === undefined || !bytes.subarray(CHECK_AT, EVENT_BYTES).equals(checkOf(bytes, generation))",
        replace: "state === undefined",
      },
    ],
    caughtBy,
  },
  {
    name: "a scan does not check the chunks of the records it finds",
    patches: [
      {
        file: `${SEGMENTS}/scan.ts`,
        find: "if (chunkIdOf(await window.read(chunkAt(next.offset, next.length), next.length)) === next.id) scanned.events",
        replace: "scanned.events",
      },
    ],
    caughtBy,
  },
  {
    name: "a start believes marks that may not be durable",
    patches: [{ file: `${SEGMENTS}/marks.ts`, find: "      await file.sync(); // they", replace: "      // they" }],
    caughtBy,
  },
  {
    name: "of two records of a chunk the one that lost is not marked",
    patches: [
      {
        file: `${SEGMENTS}/recovery.ts`,
        find: "Map.groupBy(this.#losers.values(), ",
        replace: "Map.groupBy([] as LocatedEvent[], ",
      },
    ],
    caughtBy,
  },
  {
    name: "a segment is used again under its old generation",
    patches: [
      {
        file: `${SEGMENTS}/segment-pool.ts`,
        find: "born: this.#options.sequence.next(), generation: newGeneration()",
        replace: "born: this.#options.sequence.next(), generation: segment.generation",
      },
    ],
    caughtBy,
  },
  {
    name: "compaction copies what it has not verified",
    patches: [
      {
        file: `${SEGMENTS}/checked-chunk.ts`,
        find: "return chunkIdOf(bytes) === id ? { bytes, checks } : undefined;",
        replace: "return { bytes, checks };",
      },
    ],
    caughtBy,
  },
  {
    name: "what is decided of a chunk while compaction moves it is not written beside the copy",
    patches: [
      {
        file: `${SEGMENTS}/compaction.ts`,
        find: "    await this.#options.segments.note(copies.map(({ copy }) => this.#newsOf(copy)).filter((event) => event !== undefined));\n",
        replace: "",
      },
    ],
    caughtBy,
  },
  {
    name: "a segment whose rotted record only a mark knows of is left with the records that were copied out of it",
    patches: [
      {
        file: `${SEGMENTS}/compaction.ts`,
        find: "if (this.#index.liveBytes(victim.number) > 0) await this.#copyEach(victim, this.#index.liveIn(victim.number), copies);",
        replace: "",
      },
    ],
    caughtBy,
  },
  {
    name: "what was copied out of a segment that stays is not marked as dead in it, and its copies' marks are given away",
    patches: [
      {
        file: `${SEGMENTS}/compaction.ts`,
        find: "      await this.#keep(victim, copies).catch(() => undefined); // then they stay needed\n",
        replace: "",
      },
      { file: `${SEGMENTS}/compaction.ts`, find: " || needed.has(segment.number)", replace: "" },
    ],
    caughtBy,
  },
  {
    name: "a record that was copied is marked as dead with a sequence that kills its copy, too",
    patches: [
      {
        file: `${SEGMENTS}/compaction.ts`,
        find: "const { sequence } = this.#atItsPlace(copy) ?? from;",
        replace: "const { sequence } = from;",
      },
    ],
    caughtBy,
  },
  {
    name: "a part is told without comparing its blocks with their checks",
    patches: [
      {
        file: `${SEGMENTS}/chunk-reader.ts`,
        find: "if (areBlocksWhole(id, { bytes, checks }, from)) return",
        replace: "if (checks.length > 0) return",
      },
    ],
    caughtBy,
  },
  {
    name: "checks of blocks count for whichever chunk they were made",
    patches: [
      {
        file: `${SEGMENTS}/record-header.ts`,
        find: "[PURPOSE, generation, chunkIdToBytes(id), lengthBytes, checks]",
        replace: "[PURPOSE, generation, checks]",
      },
    ],
    caughtBy,
  },
  {
    name: "checks of blocks are believed whatever became of them",
    patches: [
      {
        file: `${SEGMENTS}/record-header.ts`,
        find: "return header.subarray(SEAL_AT, CHECKS_AT).equals(sealOf(chunk, checks, generation)) ? checks : undefined;",
        replace: "return header.subarray(SEAL_AT, CHECKS_AT).equals(Buffer.alloc(SEAL_BYTES)) ? undefined : checks;",
      },
    ],
    caughtBy,
  },
  {
    name: "compaction writes no checks beside the copy",
    patches: [
      {
        file: `${SEGMENTS}/compaction.ts`,
        find: "await appender.append(known, chunk.bytes, chunk.checks)",
        replace: "await appender.append(known, chunk.bytes, Buffer.alloc(chunk.checks.length))",
      },
    ],
    caughtBy: { project: "unit", tests: `${SEGMENTS}/parts` },
  },
  {
    name: "a block has the same check in every place",
    patches: [
      {
        file: BLOCK_CHECKS,
        find: "const start = Number.parseInt(id.slice(0, 8), 16) + from / BLOCK_BYTES;",
        replace: "const start = Number.parseInt(id.slice(0, 8), 16);",
      },
      { file: BLOCK_CHECKS, find: "(start + index) >>> 0", replace: "start" },
    ],
    caughtBy,
  },
  {
    name: "the checks of blocks are made after the chunk was compared with its name",
    patches: [
      {
        file: `${SEGMENTS}/checked-chunk.ts`,
        find: "  const checks = checksToKeep(id, bytes);\n  requireWhole(id, bytes);\n",
        replace: "  requireWhole(id, bytes);\n  const checks = checksToKeep(id, bytes);\n",
      },
    ],
    caughtBy,
  },
];
