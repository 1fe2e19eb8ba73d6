import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ChunkId, chunkIdToBytes } from "../chunking/index.ts";
import { createLogger, DAY_MS, HOUR_MS, MINUTE_MS } from "../kernel/index.ts";
import { createLeadership, type Leadership } from "../leadership/index.ts";
import { createManualClock, createStoredCluster, type StoredCluster } from "../testing/index.ts";
import { commitChunksOf } from "./testing/commit.ts";
import {
  approveGarbageRun,
  brake,
  createGarbageCollector,
  type GarbageCollectorOptions,
  garbageIntervalMs,
  listBraked,
  markDatabaseAge,
} from "./index.ts";

const GRACE_MS = 10 * MINUTE_MS;

let database: TestDatabase;
let cluster: StoredCluster;
beforeAll(async () => (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => (cluster = await createStoredCluster(database)));
afterEach(() => cluster.stop());

const never = new AbortController().signal;

/** One look by a collector that nothing holds, unless told otherwise. Returns what it did, and what held it. */
async function collect(changes: Partial<GarbageCollectorOptions> = {}) {
  const collector = createGarbageCollector({
    pool: database.pool,
    leadership: cluster.leadership,
    clients: cluster.nodes.clients,
    safemode: { isOn: () => false, why: () => "" },
    inventoryGap: async () => undefined,
    graceMs: GRACE_MS,
    tombstoneMs: DAY_MS,
    logger: createLogger("test", "silent"),
    ...changes,
  });
  return { ...(await collector.step(never)), heldBy: collector.heldBy() };
}

type Work<T> = Parameters<typeof cluster.leadership.fenced<T>>[0];

/** A leader to whom something happens around, or at the beginning of, his transactions. */
function leaderWith({
  around,
  inside,
}: {
  around?: (proceed: () => Promise<unknown>) => Promise<unknown>;
  inside?: (tx: pg.PoolClient) => Promise<unknown>;
}) {
  const fenced = <T>(work: Work<T>): Promise<T> =>
    cluster.leadership.fenced(async (tx, epoch) => {
      await inside?.(tx);
      return await work(tx, epoch);
    });
  return {
    requireEpoch: () => cluster.leadership.requireEpoch(),
    fenced: <T>(work: Work<T>): Promise<T> => (around === undefined ? fenced(work) : (around(() => fenced(work)) as Promise<T>)),
  };
}

/** The step fails at this point, as if the leader had died there. */
const dies = (): never => {
  throw new Error("the leader dies");
};

async function setHealth(nodeId: number, health: "up" | "down"): Promise<void> {
  await database.pool.query("UPDATE node SET health = $2::node_health WHERE id = $1", [nodeId, health]);
  cluster.node(nodeId).fault = health === "up" ? "none" : "unreachable";
}

const trashedOn = (id: ChunkId) => cluster.nodes.all.filter(({ store }) => store.trashed.has(id)).map(({ snapshot }) => snapshot.id);

/** A chunk whose file was deleted, condemned for longer than the grace. */
async function keepDoomed(): Promise<ChunkId> {
  const id = await cluster.keep({ referred: false });
  await collect();
  await cluster.age(GRACE_MS);
  return id;
}

describe("the way out", () => {
  test("a deleted file's chunk is condemned, trashed, purged and forgotten, each after its wait", async () => {
    const kept = await cluster.keep();
    const id = await cluster.keep({ referred: false });
    expect(await collect()).toMatchObject({ condemned: 1, trashed: 0 });
    expect([await cluster.row(id), cluster.holders(id)]).toMatchObject([{ state: "condemned" }, [1, 2, 3]]);

    await cluster.age(GRACE_MS);
    expect(await collect()).toMatchObject({ condemned: 0, trashed: 1, purged: 0 });
    expect([await cluster.row(id), trashedOn(id)]).toMatchObject([{ state: "condemned", replicas: [], isBeingTrashed: false }, [1, 2, 3]]);

    expect(await collect({ graceMs: 0 })).toMatchObject({ purged: 3 });
    expect([cluster.holders(id), trashedOn(id)]).toEqual([[], []]);

    expect(await cluster.row(id)).toBeDefined();
    await cluster.age(DAY_MS);
    await collect();
    expect(await cluster.row(id)).toBeUndefined();
    expect([await cluster.row(kept), cluster.holders(kept)]).toMatchObject([{ state: "live" }, [1, 2, 3]]);
  });

  test("a chunk younger than the grace is left alone: somebody may be about to need it", async () => {
    const id = await cluster.keep({ referred: false });
    expect(await collect({ graceMs: 2 * HOUR_MS })).toMatchObject({ condemned: 0 });
    expect(await cluster.row(id)).toMatchObject({ state: "live" });
  });

  test("a condemned chunk keeps its copies for the grace", async () => {
    const id = await cluster.keep({ referred: false });
    await collect();
    await cluster.age(GRACE_MS / 2);
    expect(await collect()).toMatchObject({ trashed: 0 });
    expect(cluster.holders(id)).toEqual([1, 2, 3]);
  });

  test("what is in the trash stays there for the grace", async () => {
    const id = await keepDoomed();
    await collect();
    expect(await collect()).toMatchObject({ purged: 0 });
    expect(trashedOn(id)).toEqual([1, 2, 3]);
  });

  test("garbage on many pages is found to the last chunk", async () => {
    await database.pool.query(
      `INSERT INTO chunk (id, length, replicas, created_at)
       SELECT sha256(number::text::bytea), 1, '{}', now() - interval '1 hour' FROM generate_series(1, 25000) AS number`,
    );
    await cluster.keep();
    expect(await collect({ brakes: { share: 1, chunksMin: 0, bytesMin: 0 } })).toMatchObject({ condemned: 25_000 });
  });
});

describe("new references", () => {
  test("a file refers to the chunk while the collector looks at it: the chunk stays", async () => {
    const id = await cluster.keep({ referred: false });
    const upload = await database.pool.connect();
    await upload.query("BEGIN");
    await upload.query("SELECT FROM chunk WHERE id = $1 FOR KEY SHARE", [chunkIdToBytes(id)]);
    expect(await collect()).toMatchObject({ condemned: 0 });
    await upload.query("COMMIT");
    upload.release();
    expect(await cluster.row(id)).toMatchObject({ state: "live" });
  });

  test("the file came between the look and the lock: references are asked for again, under the lock", async () => {
    const id = await cluster.keep({ referred: false });
    let calls = 0;
    const leadership = leaderWith({
      async around(proceed) {
        if (++calls === 1) await cluster.refer(id); // the first is the one that condemns
        return await proceed();
      },
    });
    expect(await collect({ leadership })).toMatchObject({ condemned: 0 });
    expect(calls).toBe(1);
    expect(await cluster.row(id)).toMatchObject({ state: "live" });
  });

  test("the upload had begun to commit when the collector's transaction began: its reference is seen all the same", async () => {
    const id = await cluster.keep({ referred: false });
    let calls = 0;
    const leadership = leaderWith({
      async inside(tx) {
        if (++calls !== 1) return;
        await tx.query("SELECT FROM chunk");
        await cluster.refer(id);
      },
    });
    expect(await collect({ leadership })).toMatchObject({ condemned: 0 });
  });

  test("the same bytes are uploaded again while the chunk is condemned: it lives, and nothing of it is trashed", async () => {
    const id = await keepDoomed();
    await commitChunksOf(database, cluster, id, { on: [1, 2] });
    expect(await cluster.row(id)).toMatchObject({ state: "live", replicas: [1, 2] });
    expect(await collect()).toMatchObject({ condemned: 0, trashed: 0 });
    expect(cluster.holders(id)).toEqual([1, 2, 3]);
  });

  test("nodes say they have it, then trash it, then the upload commits: it is refused, and succeeds when the bytes come again", async () => {
    const id = await keepDoomed();
    const bytes = cluster.node(1).store.chunks.get(id)!;
    const slow = await commitChunksOf.begin(database, cluster, id, { on: [1, 2] });
    await collect();
    expect(trashedOn(id)).toEqual([1, 2, 3]);
    await expect(slow.commit()).rejects.toMatchObject({ code: "upload.copies_gone" });
    await commitChunksOf(database, cluster, id, { on: [1, 2], bytes });
    expect([await cluster.row(id), cluster.holders(id)]).toMatchObject([{ state: "live", replicas: [1, 2] }, [1, 2]]);
  });

  test("an upload commits in the very moment in which the nodes are told: it is refused until they have answered", async () => {
    const id = await keepDoomed();
    let refused: unknown;
    cluster.node(3).onCommand = async (command) => {
      if (command !== "trash") return;
      refused = await commitChunksOf(database, cluster, id, { on: [1, 2] }).catch((error: unknown) => error);
    };
    await collect();
    expect(refused).toMatchObject({ code: "upload.copies_gone" });
    expect(await cluster.row(id)).toMatchObject({ state: "condemned", isBeingTrashed: false });
  });

  test("an unfinished upload's chunks are in use", async () => {
    const id = await cluster.keep();
    await cluster.age(DAY_MS);
    expect(await collect()).toMatchObject({ condemned: 0 });
    expect(await cluster.row(id)).toMatchObject({ state: "live" });
  });
});

describe("the leader dies", () => {
  test("after the windows were opened, before any node was told: everything is there, and it goes on when the windows have closed", async () => {
    const id = await keepDoomed();
    const clients = { commandsFor: (node: { id: number }) => ({ ...cluster.nodes.clients.commandsFor(node), trash: dies }) };
    await collect({ clients });
    expect([await cluster.row(id), cluster.holders(id)]).toMatchObject([
      { state: "condemned", replicas: [1, 2, 3], isBeingTrashed: true },
      [1, 2, 3],
    ]);
    await expect(commitChunksOf(database, cluster, id, { on: [1, 2] })).rejects.toMatchObject({ code: "upload.copies_gone" });
    await collect();
    expect(cluster.holders(id)).toEqual([1, 2, 3]); // nobody may open the windows twice
    await cluster.age(HOUR_MS);
    expect(await collect()).toMatchObject({ trashed: 1 });
    expect(trashedOn(id)).toEqual([1, 2, 3]);
  });

  test("after some nodes trashed their copies: the bytes come again, and the file is whole", async () => {
    const id = await keepDoomed();
    const bytes = cluster.node(1).store.chunks.get(id)!;
    cluster.node(3).onCommand = (command) => {
      if (command === "trash") dies();
    };
    await collect();
    expect([await cluster.row(id), trashedOn(id)]).toMatchObject([{ state: "condemned", replicas: [3], isBeingTrashed: true }, [1, 2]]);
    await cluster.age(HOUR_MS);
    await commitChunksOf(database, cluster, id, { on: [1, 2], bytes });
    expect([await cluster.row(id), cluster.holders(id)]).toMatchObject([{ state: "live", replicas: [1, 2] }, [1, 2, 3]]);
  });

  test("after all nodes trashed theirs, before the row says so: it is done again and comes to the same", async () => {
    const id = await keepDoomed();
    let told = false;
    cluster.node(1).onCommand = (command) => void (told ||= command === "trash");
    const leadership = leaderWith({ around: async (proceed) => (told ? dies() : await proceed()) });
    await expect(collect({ leadership })).rejects.toThrow("the leader dies");
    expect([await cluster.row(id), trashedOn(id)]).toMatchObject([{ replicas: [1, 2, 3], isBeingTrashed: true }, [1, 2, 3]]);
    await cluster.age(HOUR_MS);
    expect(await collect()).toMatchObject({ trashed: 1 });
    expect(await cluster.row(id)).toMatchObject({ state: "condemned", replicas: [] });
  });

  test("a leader who was replaced is refused by the nodes that heard his successor", async () => {
    const id = await keepDoomed();
    cluster.node(1).onCommand = (command) => {
      if (command === "trash") for (const node of cluster.nodes.all) node.epoch = 7;
    };
    await collect();
    expect([trashedOn(id), cluster.holders(id)]).toEqual([[], [1, 2, 3]]);
    expect(await cluster.row(id)).toMatchObject({ replicas: [1, 2, 3], isBeingTrashed: true });
  });

  test("a leader who slept after he had opened the windows sends no order", async () => {
    const id = await keepDoomed();
    const clock = createManualClock();
    const leadership = leaderWith({
      async around(proceed) {
        const result = await proceed();
        clock.advance(HOUR_MS);
        return result;
      },
    });
    expect(await collect({ leadership, clock })).toMatchObject({ trashed: 0 });
    expect(cluster.holders(id)).toEqual([1, 2, 3]);
  });

  test("a leader without a lease condemns nothing", async () => {
    const id = await cluster.keep({ referred: false });
    await database.pool.query("UPDATE lease SET expires_at = clock_timestamp()");
    await expect(collect()).rejects.toMatchObject({ code: "leader.not_us" });
    expect(await cluster.row(id)).toMatchObject({ state: "live" });
  });
});

describe("a node is away", () => {
  test("it is told when it is back; until then the row remembers it", async () => {
    const id = await keepDoomed();
    await setHealth(3, "down");
    await collect();
    await cluster.age(DAY_MS);
    await collect();
    expect([await cluster.row(id), trashedOn(id)]).toMatchObject([{ state: "condemned", replicas: [3] }, [1, 2]]);
    await setHealth(3, "up");
    await collect();
    expect([await cluster.row(id), trashedOn(id)]).toMatchObject([{ replicas: [] }, [1, 2, 3]]);
  });

  test("a removed node holds up nothing", async () => {
    const id = await keepDoomed();
    await database.pool.query("UPDATE node SET intent = 'removed', health = 'down' WHERE id = 3");
    cluster.node(3).fault = "unreachable";
    await collect();
    expect(await cluster.row(id)).toMatchObject({ replicas: [] });
  });

  test("a node's disk fails in the middle of an order: whether it was carried out is unknown, and the window stays open", async () => {
    const id = await keepDoomed();
    cluster.node(2).onCommand = (command) => {
      if (command === "trash") dies();
    };
    await collect();
    expect(await cluster.row(id)).toMatchObject({ replicas: [2], isBeingTrashed: true });
  });
});

describe("brakes", () => {
  const brakes = { share: 0.01, chunksMin: 2, bytesMin: 1_000_000 };
  const state = async (ids: readonly ChunkId[]) => Promise.all(ids.map(async (id) => (await cluster.row(id))?.state));

  test("too much at once: nothing is condemned until an operator agrees, then all of it", async () => {
    await cluster.keep();
    const ids = [await cluster.keep({ referred: false }), await cluster.keep({ referred: false }), await cluster.keep({ referred: false })];
    const { heldBy } = await collect({ brakes });
    expect(heldBy).toContain("3 of 4 chunks");
    await collect({ brakes });
    const braked = await listBraked(database.pool);
    expect(braked).toMatchObject([{ cause: "share", state: "braked", chunks: 3, bytes: 3_000 }]);
    expect(await state(ids)).toEqual(["live", "live", "live"]);

    await approveGarbageRun(database.pool, braked[0]!.id, { userId: "operator" });
    expect(await collect({ brakes })).toMatchObject({ condemned: 3, heldBy: "" });
    expect(await state(ids)).toEqual(["condemned", "condemned", "condemned"]);
    await expect(approveGarbageRun(database.pool, braked[0]!.id, { userId: "operator" })).rejects.toMatchObject({
      code: "garbage.not_braked",
    });
  });

  test("an approval is for what was shown, and for once", async () => {
    for (let count = 0; count < 3; count++) await cluster.keep({ referred: false });
    await collect({ brakes });
    await approveGarbageRun(database.pool, (await listBraked(database.pool))[0]!.id, { userId: "operator" });
    for (let count = 0; count < 3; count++) await cluster.keep({ referred: false });
    expect(await collect({ brakes })).toMatchObject({ condemned: 0 });
    await approveGarbageRun(database.pool, (await listBraked(database.pool))[0]!.id, { userId: "operator" });
    expect(await collect({ brakes })).toMatchObject({ condemned: 6 });
    for (let count = 0; count < 3; count++) await cluster.keep({ referred: false });
    expect(await collect({ brakes })).toMatchObject({ condemned: 0 });
  });

  test("while a brake waits, what was condemned before is not trashed either", async () => {
    const id = await keepDoomed();
    for (let count = 0; count < 3; count++) await cluster.keep({ referred: false });
    expect(await collect({ brakes })).toMatchObject({ trashed: 0 });
    expect(cluster.holders(id)).toEqual([1, 2, 3]);
  });

  test("somebody empties a small drive: nobody is asked", async () => {
    const ids = [await cluster.keep({ referred: false }), await cluster.keep({ referred: false })];
    expect(await collect()).toMatchObject({ condemned: 2 });
    expect(await state(ids)).toEqual(["condemned", "condemned"]);
  });

  test("what was too much is needed again: the brake lets go by itself", async () => {
    const ids = [await cluster.keep({ referred: false }), await cluster.keep({ referred: false }), await cluster.keep({ referred: false })];
    await collect({ brakes });
    for (const id of ids) await cluster.refer(id);
    expect(await collect({ brakes })).toMatchObject({ heldBy: "" });
    expect(await listBraked(database.pool)).toEqual([]);
  });

  test("in safemode nothing moves", async () => {
    const [fresh, doomed] = [await cluster.keep({ referred: false }), await keepDoomed()];
    await database.pool.query("UPDATE chunk SET state = 'live', condemned_at = NULL WHERE id = $1", [chunkIdToBytes(fresh)]);
    const { heldBy } = await collect({ safemode: { isOn: () => true, why: () => "Nodes are still to come." } });
    expect([heldBy, await state([fresh]), cluster.holders(doomed)]).toEqual(["Nodes are still to come.", ["live"], [1, 2, 3]]);
  });

  test("with an incomplete inventory nothing moves", async () => {
    const id = await keepDoomed();
    const { heldBy } = await collect({ inventoryGap: async () => "node-2 was not compared." });
    expect([heldBy, cluster.holders(id)]).toEqual(["node-2 was not compared.", [1, 2, 3]]);
  });

  test("a node holds many chunks that nobody knows: until somebody has looked into it, nothing is cleaned up anywhere", async () => {
    const id = await keepDoomed();
    await cluster.leadership.fenced((tx) => brake(tx, "unknown-chunks/2", "node-2 holds what nobody knows.", { chunks: 20_000, bytes: 1 }));
    expect(await collect()).toMatchObject({ trashed: 0, heldBy: "node-2 holds what nobody knows." });
    expect(cluster.holders(id)).toEqual([1, 2, 3]);
  });

  test("the database was set back: nodes remember a later leader, and nothing moves until an operator says which counts", async () => {
    const [doomed, fresh] = [await keepDoomed(), await cluster.keep({ referred: false })];
    cluster.node(2).epoch = 41;
    const { heldBy } = await collect();
    expect(heldBy).toContain("node-2 remember a later leader (41) than the database does (1)");
    expect([await state([fresh]), cluster.holders(doomed)]).toEqual([["live"], [1, 2, 3]]);
    const braked = await listBraked(database.pool);
    expect(braked).toMatchObject([{ cause: "older-database" }]);

    await approveGarbageRun(database.pool, braked[0]!.id, { userId: "operator" });
    await collect(); // ends its own lease: the next leader is above what any node remembers
    cluster = { ...cluster, leadership: await createSuccessor() };
    expect(cluster.leadership.epoch()).toBe(42);
    expect(await collect()).toMatchObject({ condemned: 1, trashed: 1, heldBy: "" });
    expect(await listBraked(database.pool)).toEqual([]);
  });

  test("the database was set back to a few minutes ago, and nobody but one leader was there since: the nodes remember all the same", async () => {
    const { rows } = await database.pool.query<{ epoch: number }>("SELECT epoch FROM lease"); // the backup
    const options = { pool: database.pool, leadership: cluster.leadership, clients: cluster.nodes.clients };
    await markDatabaseAge(options);
    expect(await collect()).toMatchObject({ heldBy: "" });
    await cluster.leadership.stop();
    await database.pool.query("UPDATE lease SET epoch = $1", [rows[0]!.epoch]);
    cluster = { ...cluster, leadership: await createSuccessor() };
    await markDatabaseAge({ ...options, leadership: cluster.leadership });
    expect(await collect()).toMatchObject({ heldBy: expect.stringContaining("it was set back to an earlier state") });
  });

  test("most nodes are silent: the epoch is not raised past what they may remember", async () => {
    for (const nodeId of [2, 3]) cluster.node(nodeId).fault = "unreachable";
    await markDatabaseAge({ pool: database.pool, leadership: cluster.leadership, clients: cluster.nodes.clients });
    expect(cluster.leadership.epoch()).toBe(1);
  });

  test("nodes know a later leader because there is one: then it is not the database's fault", async () => {
    cluster.node(2).epoch = 2;
    await database.pool.query("UPDATE lease SET epoch = 2");
    await expect(collect()).rejects.toMatchObject({ code: "leader.not_us" });
    expect(await listBraked(database.pool)).toEqual([]);
  });

  async function createSuccessor(): Promise<Leadership> {
    const leadership = createLeadership({ pool: database.pool, holderName: "successor", leaseMs: DAY_MS, onError: () => undefined });
    await leadership.start();
    return leadership;
  }
});

describe("the last look before bytes go", () => {
  test("a live chunk's copy is in the trash by somebody's mistake: it comes back instead of being purged", async () => {
    const id = await cluster.keep();
    await cluster.node(2).store.trash([id]);
    expect(await collect({ graceMs: 0 })).toMatchObject({ purged: 0, revived: 1 });
    expect(cluster.holders(id)).toEqual([1, 2, 3]);
  });

  test("a file refers to a condemned chunk, and no node can be asked to prove its copies: it stays as it is, and nothing of it is trashed", async () => {
    const id = await keepDoomed();
    await cluster.refer(id);
    const clients = { commandsFor: (node: { id: number }) => ({ ...cluster.nodes.clients.commandsFor(node), restore: async () => [] }) };
    expect(await collect({ clients, graceMs: 0 })).toMatchObject({ revived: 0, trashed: 0 });
    expect([await cluster.row(id), cluster.holders(id)]).toMatchObject([{ state: "condemned", isBeingTrashed: false }, [1, 2, 3]]);
  });

  test("a surplus copy of a live chunk may go", async () => {
    const id = await cluster.keep({ replicas: [1, 2], on: [1, 2, 3] });
    await cluster.node(3).store.trash([id]);
    expect(await collect({ graceMs: 0 })).toMatchObject({ purged: 1, revived: 0 });
    expect([cluster.holders(id), trashedOn(id)]).toEqual([[1, 2], []]);
  });

  test("the nodes for which a surplus copy was given up are gone: it may be the last one, and comes back instead of being purged", async () => {
    const id = await cluster.keep({ replicas: [1, 2], on: [1, 2, 3] });
    await cluster.node(3).store.trash([id]);
    await database.pool.query("UPDATE node SET health = 'down' WHERE id IN (1, 2)");
    expect(await collect({ graceMs: 0 })).toMatchObject({ purged: 0, revived: 1 });
    expect(cluster.holders(id)).toEqual([1, 2, 3]);
  });

  test("one copy is all that is wanted, and it is within reach: the one that was moved away may go", async () => {
    const id = await cluster.keep({ replicas: [1], on: [1, 2] });
    await cluster.node(2).store.trash([id]);
    expect(await collect({ graceMs: 0, replicas: 1 })).toMatchObject({ purged: 1, revived: 0 });
    expect([cluster.holders(id), trashedOn(id)]).toEqual([[1], []]);
  });

  test("an operator has asked for more copies than the environment: one within reach is not enough then", async () => {
    await database.pool.query("INSERT INTO cluster (id, replicas) VALUES (gen_random_uuid(), 2)");
    const id = await cluster.keep({ replicas: [1], on: [1, 2] });
    await cluster.node(2).store.trash([id]);
    expect(await collect({ graceMs: 0, replicas: 1 })).toMatchObject({ purged: 0, revived: 1 });
    await database.pool.query("DELETE FROM cluster");
  });

  test("a node that does not answer does not keep the others from purging", async () => {
    const id = await keepDoomed();
    await collect();
    cluster.node(1).fault = "unreachable";
    expect(await collect({ graceMs: 0 })).toMatchObject({ purged: 2 });
    expect(trashedOn(id)).toEqual([1]);
  });

  test("a file refers to a condemned chunk although that cannot be: its copies are read, and it lives", async () => {
    const id = await keepDoomed();
    await cluster.refer(id);
    await cluster.node(3).store.trash([id]);
    cluster.node(2).store.chunks.get(id)![0]! ^= 1;
    cluster.node(1).fault = "unreachable";
    expect(await collect()).toMatchObject({ revived: 1, trashed: 0 });
    expect(await cluster.row(id)).toMatchObject({ state: "live", replicas: [3] });
    const { rows } = await database.pool.query("SELECT severity FROM event WHERE kind = 'garbage.revived'");
    expect(rows).toEqual([{ severity: "error" }]);
  });
});

test("batches of condemned chunks that files refer to and nobody holds: what stands behind them has its turn all the same", async () => {
  const needed = await cluster.keep({ referred: false });
  const doomed = await keepDoomed(); // and the other with it
  await database.pool.query(
    `INSERT INTO chunk (id, length, replicas, state, condemned_at)
     SELECT decode(lpad(to_hex(n), 64, '0'), 'hex'), 9, '{1}', 'condemned', now() - interval '2 days' FROM generate_series(1, 600) AS n`,
  );
  await database.pool.query(
    `INSERT INTO extent (version_id, "offset", length, chunk_id)
     SELECT $1, 1000000 + 9 * row_number() OVER (), 9, id FROM chunk WHERE length = 9`,
    [await cluster.refer(needed)],
  );
  expect(await collect()).toMatchObject({ trashed: 1, revived: 1 });
  expect([trashedOn(doomed), trashedOn(needed)]).toEqual([[1, 2, 3], []]);
  expect(await cluster.row(needed)).toMatchObject({ state: "live", replicas: [1, 2, 3] });
});

test("the collector keeps pace with the grace: it looks often for a short one and hourly for a long one", () => {
  expect([0, 20_000, DAY_MS].map(garbageIntervalMs)).toEqual([1_000, 2_000, HOUR_MS]);
});
