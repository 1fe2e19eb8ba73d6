import { inTransaction } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ChunkId, chunkIdOf, chunkIdToBytes } from "../chunking/index.ts";
import { createLogger, limits, MINUTE_MS } from "../kernel/index.ts";
import type { Leadership } from "../leadership/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import { createManualClock, type ManualClock, nodeSnapshot } from "../testing/index.ts";
import { dropCopies } from "./surplus.ts";

let database: TestDatabase;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());

const one = nodeSnapshot(1);
const two = nodeSnapshot(2);
const three = nodeSnapshot(3);
const four = nodeSnapshot(4);

async function keep(name: string): Promise<ChunkId> {
  const id = chunkIdOf(Buffer.from(name));
  await database.pool.query("INSERT INTO chunk (id, length, replicas) VALUES ($1, 9, '{1,2,3,4}')", [chunkIdToBytes(id)]);
  return id;
}

/** Gives up one copy; `wait` comes between the announcement in the row and the order, `trash` while the node carries it out. */
async function giveUp(
  id: ChunkId,
  node: NodeSnapshot,
  { wait = () => undefined, trash = async () => undefined }: { wait?: (clock: ManualClock) => void; trash?: () => Promise<void> },
): Promise<{ given: boolean; ordered: ChunkId[] }> {
  const clock = createManualClock();
  const fenced: Leadership["fenced"] = async (work) => {
    const result = await inTransaction(database.pool, (tx) => work(tx, 1));
    wait(clock);
    return result;
  };
  const ordered: ChunkId[] = [];
  const commands = {
    verify: async () => ({ length: 9 }),
    trash: async (ids: readonly ChunkId[]) => {
      ordered.push(...ids);
      await trash();
      return [...ids];
    },
    restore: async () => [],
  };
  const options = {
    leadership: { requireEpoch: () => 1, fenced },
    clients: { commandsFor: () => commands },
    logger: createLogger("test", "silent"),
    clock,
  };
  const given = await dropCopies(options, id, [{ node, kept: [one, two], why: "one too many" }]);
  return { given, ordered };
}

const windowOf = async (id: ChunkId): Promise<number> => {
  const { rows } = await database.pool.query<{ ms: number }>(
    "SELECT extract(epoch FROM trashing_until - clock_timestamp())::float * 1000 AS ms FROM chunk WHERE id = $1",
    [chunkIdToBytes(id)],
  );
  return rows[0]!.ms;
};

test("a copy is given up: the order goes out, and what the node answers from then on counts again", async () => {
  const id = await keep("prompt");
  expect(await giveUp(id, four, {})).toEqual({ given: true, ordered: [id] });
  expect(await windowOf(id)).toBeLessThanOrEqual(0);
});

test("the controller slept between the row and the order: it does not send it, and the row's warning outlives any order of its kind", async () => {
  const id = await keep("asleep");
  const { ordered } = await giveUp(id, four, { wait: (clock) => clock.advance(limits.trashSendWithinMs + 1) });
  expect(ordered).toEqual([]);
  expect(await windowOf(id)).toBeGreaterThan(limits.nodeCommandLifeMs - MINUTE_MS / 2);
});

test("a second copy would be given up while the first order is out: not before that one was answered", async () => {
  const id = await keep("two at once");
  let meanwhile: Awaited<ReturnType<typeof giveUp>> | undefined;
  let windowMs = 0;
  await giveUp(id, four, {
    trash: async () => {
      meanwhile = await giveUp(id, three, {});
      windowMs = await windowOf(id);
    },
  });
  expect(meanwhile).toEqual({ given: false, ordered: [] });
  expect(windowMs).toBeGreaterThan(limits.nodeCommandLifeMs - MINUTE_MS / 2); // nobody's answer counts yet
  expect(await giveUp(id, three, {})).toEqual({ given: true, ordered: [id] });
});

test("an order is answered long after its window has closed: the window of the next order stays open", async () => {
  const id = await keep("late answer");
  const answered = Promise.withResolvers<void>();
  const ordered = Promise.withResolvers<void>();
  let second: ReturnType<typeof giveUp> | undefined;
  await giveUp(id, four, {
    trash: async () => {
      await database.pool.query("UPDATE chunk SET trashing_until = clock_timestamp() - interval '1 second' WHERE id = $1", [
        chunkIdToBytes(id),
      ]);
      second = giveUp(id, three, { trash: () => (ordered.resolve(), answered.promise) });
      await ordered.promise;
    },
  });
  expect(await windowOf(id)).toBeGreaterThan(limits.nodeCommandLifeMs - MINUTE_MS / 2);
  answered.resolve();
  await second;
  expect(await windowOf(id)).toBeLessThanOrEqual(0);
});
