import { inTransaction } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ChunkId, chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { createLogger, limits, MINUTE_MS } from "../kernel/index.ts";
import type { Leadership } from "../leadership/index.ts";
import { createManualClock, nodeSnapshot } from "../testing/index.ts";
import { dropCopies } from "./surplus.ts";

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());

const [one, two, three, four] = [1, 2, 3, 4].map((id) => nodeSnapshot(id)) as [
  ReturnType<typeof nodeSnapshot>,
  ...ReturnType<typeof nodeSnapshot>[],
];

/** Gives up node 4's copy; `sleepMs` passes between the announcement in the row and the order. */
async function giveUp(name: string, sleepMs: number): Promise<{ id: ChunkId; ordered: ChunkId[] }> {
  const id = chunkIdOf(Buffer.from(name));
  await database.pool.query("INSERT INTO chunk (id, length, replicas) VALUES ($1, 9, '{1,2,3,4}')", [chunkIdToBytes(id)]);
  const clock = createManualClock();
  const fenced: Leadership["fenced"] = async (work) => {
    const result = await inTransaction(database.pool, (tx) => work(tx, 1));
    clock.advance(sleepMs);
    return result;
  };
  const ordered: ChunkId[] = [];
  const commands = {
    verify: async () => ({ length: 9 }),
    trash: async (ids: readonly ChunkId[]) => (ordered.push(...ids), [...ids]),
    restore: async () => [],
  };
  const options = {
    leadership: { requireEpoch: () => 1, fenced },
    clients: { commandsFor: () => commands },
    logger: createLogger("test", "silent"),
    clock,
  };
  await dropCopies(options, id, [{ node: four!, kept: [one, two!, three!], why: "one too many" }]);
  return { id, ordered };
}

const windowOf = async (id: ChunkId): Promise<number> => {
  const { rows } = await database.pool.query<{ ms: number }>(
    "SELECT extract(epoch FROM trashing_until - clock_timestamp())::float * 1000 AS ms FROM chunk WHERE id = $1",
    [chunkIdToBytes(id)],
  );
  return rows[0]!.ms;
};

test("a copy is given up: the order goes out, and what the node answers from then on counts again", async () => {
  const { id, ordered } = await giveUp("prompt", 0);
  expect(ordered).toEqual([id]);
  expect(await windowOf(id)).toBeLessThanOrEqual(0);
});

test("the controller slept between the row and the order: it does not send it, and the row's warning outlives any order of its kind", async () => {
  const { id, ordered } = await giveUp("asleep", limits.trashSendWithinMs + 1);
  expect(ordered).toEqual([]);
  expect(await windowOf(id)).toBeGreaterThan(limits.nodeCommandLifeMs - MINUTE_MS / 2);
});
