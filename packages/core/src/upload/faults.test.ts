import { randomBytes } from "node:crypto";
import type { ClientRequest } from "node:http";
import { openDatabase } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  type Answer,
  CHUNK_BYTES,
  contentOf,
  create,
  type Gateway,
  type GatewayOptions,
  metadata,
  OCTETS,
  offsetOf,
  open,
  patch,
  send,
  startGateway,
} from "./testing/gateway.ts";
import type { UploadLocks } from "./upload-locks.ts";

let database: TestDatabase;
const gateways: Gateway[] = [];
let borrowBytesMin: number;

afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.stop()));
});

async function start(options: GatewayOptions = {}): Promise<Gateway> {
  const gateway = await startGateway(database, { borrowBytesMin, ...options });
  gateways.push(gateway);
  return gateway;
}

/** A second gateway of the same cluster, for the same person. */
const second = (gateway: Gateway, options: GatewayOptions = {}) => start({ nodes: gateway.nodes, owner: gateway.owner, ...options });
const via = (gateway: Gateway, url: string) => gateway.address + new URL(url).pathname;
const idOf = (url: string) => url.split("/").at(-1)!;
const bytesOf = (chunks: number) => randomBytes(Math.round(chunks * CHUNK_BYTES));

async function uploadRow(url: string): Promise<{ state: string; offset: number; entryId: string | null }> {
  const { rows } = await database.pool.query<{ state: string; offset: number; entryId: string | null }>(
    `SELECT state, "offset", entry_id AS "entryId" FROM upload WHERE id = $1`,
    [idOf(url)],
  );
  return rows[0]!;
}

async function extentsOf(url: string): Promise<{ offset: number; length: number; replicas: number[] }[]> {
  const { rows } = await database.pool.query<{ offset: number; length: number; replicas: number[] }>(
    `SELECT extent."offset", extent.length, ARRAY(SELECT unnest(chunk.replicas) ORDER BY 1) AS replicas FROM upload JOIN extent USING (version_id) JOIN chunk ON chunk.id = chunk_id
      WHERE upload.id = $1 ORDER BY extent."offset"`,
    [idOf(url)],
  );
  return rows;
}

/** A client that begins with these bytes, and then neither sends more nor ends. Resolves when the first chunk is committed. */
async function stall(gateway: Gateway, bytes: Buffer): Promise<{ url: string; req: ClientRequest; answer: Promise<Answer> }> {
  const url = await create(gateway, bytes.length);
  const { req, answer } = open("PATCH", url, { ...OCTETS, "upload-offset": 0, "content-length": bytes.length });
  req.write(bytes.subarray(0, CHUNK_BYTES + 1_000));
  await expect.poll(async () => (await uploadRow(url)).offset).toBe(CHUNK_BYTES);
  return { url, req, answer };
}

/** To see what holds when two requests do meet. */
const NO_LOCKS: UploadLocks = { acquire: async () => ({ release: async () => undefined }), stop: async () => undefined };

/** A body may be read as HTTP's pieces, or past it; whatever happens to it, the outcome is the same. */
describe.each([
  { way: "in HTTP's pieces", borrowBytesMin: Infinity },
  { way: "past HTTP", borrowBytesMin: 0 },
])("bodies read $way", ({ borrowBytesMin: min }) => {
  beforeAll(async () => {
    database = await createTestDatabase();
    borrowBytesMin = min;
  });
  afterAll(() => database.drop());

  describe("a client that vanishes", () => {
    it("in the middle of a chunk: what arrived is kept, and the rest makes it whole", async () => {
      const gateway = await start();
      const bytes = bytesOf(4);
      const { url, req } = await stall(gateway, bytes);
      req.destroy();
      await expect.poll(async () => (await uploadRow(url)).offset).toBe(CHUNK_BYTES + 1_000);
      expect((await extentsOf(url)).map(({ length }) => length)).toEqual([CHUNK_BYTES, 1_000]);
      const { headers } = await patch(url, CHUNK_BYTES + 1_000, bytes.subarray(CHUNK_BYTES + 1_000));
      expect((await contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]))).equals(bytes)).toBe(true);
    });

    it("in the middle of a body with a checksum: none of it counts, for none of it was checked", async () => {
      const gateway = await start();
      const url = await create(gateway, CHUNK_BYTES * 3);
      const headers = {
        ...OCTETS,
        "upload-offset": 0,
        "content-length": CHUNK_BYTES * 3,
        "upload-checksum": `sha1 ${Buffer.alloc(20).toString("base64")}`,
      };
      const { req } = open("PATCH", url, headers);
      req.write(bytesOf(2));
      await expect.poll(() => gateway.nodes.all[0]!.store.chunks.size).toBeGreaterThan(1);
      req.destroy();
      expect(await offsetOf(url)).toBe(0);
    });

    it("without a word: after a while it is taken for gone, and what it sent is stored", async () => {
      const gateway = await start({ idleTimeoutMs: 150 });
      const { answer } = await stall(gateway, bytesOf(2));
      expect((await answer).headers["upload-offset"]).toBe(String(CHUNK_BYTES + 1_000));
    });
  });

  describe("two requests for one upload", () => {
    it("the newer one gets it: the older commits what it has and leaves", async () => {
      const gateway = await start();
      const bytes = bytesOf(2);
      const { url, answer } = await stall(gateway, bytes);
      const offset = await offsetOf(url);
      expect(offset).toBeGreaterThanOrEqual(CHUNK_BYTES);
      expect((await answer).headers["upload-offset"]).toBe(String(offset));
      expect((await patch(url, offset, bytes.subarray(offset))).status).toBe(204);
    });

    it("on two gateways, likewise", async () => {
      const gateway = await start();
      const other = await second(gateway);
      const bytes = bytesOf(2);
      const { url, answer } = await stall(gateway, bytes);
      const offset = await offsetOf(via(other, url));
      expect((await answer).headers["upload-offset"]).toBe(String(offset));
      const { headers } = await patch(via(other, url), offset, bytes.subarray(offset));
      expect((await contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]))).equals(bytes)).toBe(true);
    });

    it("sending the same bytes at once from both gateways: the file is whole and there once", async () => {
      const gateway = await start();
      const other = await second(gateway);
      const bytes = bytesOf(6);
      const url = await create(gateway, bytes.length);
      const answers = await Promise.all([patch(url, 0, bytes), patch(via(other, url), 0, bytes)]);
      expect(answers.map(({ status }) => status).every((status) => status === 204 || status === 409)).toBe(true);
      const offset = await offsetOf(url);
      if (offset < bytes.length) await patch(url, offset, bytes.subarray(offset));
      const { entryId } = await uploadRow(url);
      expect((await contentOf(database, gateway.nodes, entryId!)).equals(bytes)).toBe(true);
    });

    it("without any lock: the offset's compare-and-set lets only one through", async () => {
      const gateway = await start({ locks: NO_LOCKS });
      for (let round = 0; round < 5; round++) {
        const contenders = [bytesOf(2.5), bytesOf(2.5), bytesOf(2.5)];
        const url = await create(gateway, contenders[0]!.length);
        const answers = await Promise.all(contenders.map((bytes) => patch(url, 0, bytes)));
        const statuses = answers.map(({ status }) => status);
        expect(statuses.every((status) => status === 204 || status === 409)).toBe(true);

        const extents = await extentsOf(url);
        const end = extents.reduce((expected, { offset, length }) => (offset === expected ? expected + length : Number.NaN), 0);
        expect(end).toBe((await uploadRow(url)).offset);
        expect(statuses.filter((status) => status === 204).length).toBeLessThanOrEqual(1);
      }
    });

    it("the lock's connection breaks: its holder leaves, and the upload goes on", async () => {
      const gateway = await start();
      const bytes = bytesOf(2);
      const { url, answer } = await stall(gateway, bytes);
      await database.pool.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%advisory%' AND pid <> pg_backend_pid()",
      );
      expect((await answer).status).toBe(204);
      const offset = await offsetOf(url);
      expect((await patch(url, offset, bytes.subarray(offset))).status).toBe(204);
    });
  });

  describe("nodes that are away", () => {
    it("one of three: two copies, and the answer says so", async () => {
      const gateway = await start();
      gateway.nodes.all[1]!.fault = "unreachable";
      const url = await create(gateway, CHUNK_BYTES * 3);
      const { status, headers } = await patch(url, 0, bytesOf(3));
      expect(status).toBe(204);
      expect(headers["holdfast-copies"]).toBe("2");
      expect((await extentsOf(url)).map(({ replicas }) => replicas)).toEqual([
        [1, 3],
        [1, 3],
        [1, 3],
      ]);
    });

    it("two of three: 503 with their names and when to retry; not a byte is acknowledged", async () => {
      const gateway = await start();
      for (const node of gateway.nodes.all.slice(1)) node.fault = "unreachable";
      const bytes = bytesOf(2);
      const url = await create(gateway, bytes.length);
      const answer = await patch(url, 0, bytes);
      expect(answer).toMatchObject({ status: 503, body: { error: "cluster.too_few_nodes" } });
      expect(answer.body.message).toContain("node-2 does not answer");
      expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
      expect(await offsetOf(url)).toBe(0);
      expect(await extentsOf(url)).toEqual([]);

      for (const node of gateway.nodes.all) node.fault = "none";
      expect((await patch(url, 0, bytes)).status).toBe(204);
    });

    it("lost half-way through a body: what was safe before counts, and the client reads why", async () => {
      const gateway = await start();
      const bytes = bytesOf(40);
      const { url, req, answer } = await stall(gateway, bytes);
      for (const node of gateway.nodes.all.slice(1)) node.fault = "unreachable";
      req.end(bytes.subarray(CHUNK_BYTES + 1_000));
      expect((await answer).status).toBe(503);
      expect(await offsetOf(url)).toBe(CHUNK_BYTES);

      for (const node of gateway.nodes.all) node.fault = "none";
      const { headers } = await patch(url, CHUNK_BYTES, bytes.subarray(CHUNK_BYTES));
      expect((await contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]))).equals(bytes)).toBe(true);
    });

    it("lost while the next chunk waits for memory: that one is not even tried", async () => {
      const gateway = await start({ bufferBytes: CHUNK_BYTES });
      for (const node of gateway.nodes.all) node.fault = "hanging";
      const bytes = bytesOf(3);
      const url = await create(gateway, bytes.length);
      const answer = patch(url, 0, bytes);
      const attempts = () => gateway.nodes.all.map((node) => node.attempts);
      await expect.poll(attempts).toEqual([1, 1, 1]);
      for (const node of gateway.nodes.all) node.fault = "unreachable";
      expect((await answer).status).toBe(503);
      expect(attempts()).toEqual([1, 1, 1]);
    });

    it("a third copy that is late is added to the chunk's row", async () => {
      const gateway = await start();
      gateway.nodes.all[2]!.fault = "hanging";
      const url = await create(gateway, 1_000);
      expect((await patch(url, 0, randomBytes(1_000))).status).toBe(204);
      expect((await extentsOf(url))[0]!.replicas).toEqual([1, 2]);
      gateway.nodes.all[2]!.fault = "none";
      await expect.poll(async () => (await extentsOf(url))[0]!.replicas).toEqual([1, 2, 3]);
    });

    it("a third node that hangs holds its buffers, and stops nobody", async () => {
      const gateway = await start({ bufferBytes: CHUNK_BYTES * 3 });
      gateway.nodes.all[0]!.fault = "hanging";
      const bytes = bytesOf(30);
      const url = await create(gateway, bytes.length);
      const { headers } = await patch(url, 0, bytes);
      expect(headers["holdfast-copies"]).toBe("2");
      expect((await contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]))).equals(bytes)).toBe(true);
      gateway.nodes.all[0]!.fault = "none"; // the writes it was holding find their bytes unchanged
      await expect.poll(() => gateway.nodes.all[0]!.store.chunks.size).toBe(gateway.nodes.all[0]!.attempts);
    });
  });

  describe("memory", () => {
    it("thirty uploads share three buffers, and all arrive whole", async () => {
      const gateway = await start({ bufferBytes: CHUNK_BYTES * 3 });
      const files = await Promise.all(
        Array.from({ length: 30 }, async () => {
          const bytes = bytesOf(3.3);
          const url = await create(gateway, bytes.length);
          const { headers } = await patch(url, 0, bytes);
          return { bytes, entryId: String(headers["holdfast-entry-id"]) };
        }),
      );
      for (const { bytes, entryId } of files) expect((await contentOf(database, gateway.nodes, entryId)).equals(bytes)).toBe(true);
    });

    it("clients that trickle cannot keep the buffers from the others", async () => {
      const gateway = await start({ bufferBytes: CHUNK_BYTES * 2 });
      const tricklers = await Promise.all(Array.from({ length: 2 }, () => stall(gateway, bytesOf(2))));
      const bytes = bytesOf(3);
      const url = await create(gateway, bytes.length);
      expect((await patch(url, 0, bytes)).status).toBe(204);
      for (const { req } of tricklers) req.destroy();
    });
  });

  describe("the end of an upload", () => {
    /** As a gateway leaves it that dies after the last byte was committed. */
    async function dieBeforeTheEnd(gateway: Gateway, name: string): Promise<string> {
      const url = await create(gateway, 10, { "upload-metadata": metadata({ filename: name }) });
      await patch(url, 0, Buffer.from(name.slice(0, 5)));
      await database.pool.query(
        "UPDATE upload SET length = 5, state = 'complete', updated_at = now() - interval '1 minute' WHERE id = $1",
        [idOf(url)],
      );
      return url;
    }

    it("the gateway dies between the last byte and the file: a sweeper makes the file, once", async () => {
      const gateway = await start({ sweepIntervalMs: 3_600_000 });
      const url = await dieBeforeTheEnd(gateway, "orphan.txt");
      await Promise.all([second(gateway), second(gateway), second(gateway)]);
      await expect.poll(async () => (await uploadRow(url)).state).toBe("committed");
      const { rows } = await database.pool.query("SELECT name, size_bytes FROM entry WHERE parent_id = $1", [gateway.owner.rootId]);
      expect(rows).toEqual([{ name: "orphan.txt", size_bytes: 5 }]);
    });

    it("or the client asks how it went, and gets its file at once", async () => {
      const gateway = await start({ sweepIntervalMs: 3_600_000 });
      const url = await dieBeforeTheEnd(gateway, "asked.txt");
      const { headers } = await send("HEAD", url);
      expect((await contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]))).toString()).toBe("asked");
    });

    it("asked by eight at once, it becomes one file, and all are told the same", async () => {
      const gateway = await start({ locks: NO_LOCKS, sweepIntervalMs: 3_600_000 });
      const url = await dieBeforeTheEnd(gateway, "eight.txt");
      const answers = await Promise.all(Array.from({ length: 8 }, () => send("HEAD", url)));
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
      expect(new Set(answers.map(({ headers }) => headers["holdfast-entry-id"])).size).toBe(1);
    });

    it("the folder it was meant for went to the trash: the file is in the root, not lost", async () => {
      const gateway = await start();
      const { driveId, rootId } = gateway.owner;
      const { rows } = await database.pool.query<{ id: string }>(
        "INSERT INTO entry (id, drive_id, parent_id, kind, name) VALUES (uuidv7(), $1, $2, 'folder', 'doomed') RETURNING id",
        [driveId, rootId],
      );
      const url = await create(gateway, 5, { "upload-metadata": metadata({ filename: "kept.txt", parentId: rows[0]!.id }) });
      await database.pool.query("UPDATE entry SET trashed_at = now() WHERE id = $1", [rows[0]!.id]);
      const { headers } = await patch(url, 0, Buffer.from("kept!"));
      const placed = await database.pool.query("SELECT name, parent_id FROM entry WHERE id = $1", [headers["holdfast-entry-id"]]);
      expect(placed.rows).toEqual([{ name: "kept.txt", parent_id: rootId }]);
      expect(headers["holdfast-placed-in"]).toBe("root");
    });

    it("nobody came back in time: the upload and its extents go, its chunks stay for the collector", async () => {
      const gateway = await start();
      const url = await create(gateway, 10);
      await patch(url, 0, Buffer.from("12345"));
      const { rows } = await database.pool.query<{ versionId: string }>(`SELECT version_id AS "versionId" FROM upload WHERE id = $1`, [
        idOf(url),
      ]);
      const chunks = await chunkCount();
      await database.pool.query("UPDATE upload SET expires_at = now() - interval '1 second' WHERE id = $1", [idOf(url)]);
      await expect.poll(() => uploadRow(url)).toBeUndefined();
      expect((await database.pool.query("SELECT FROM version WHERE id = $1", [rows[0]!.versionId])).rowCount).toBe(0);
      expect(await chunkCount()).toBe(chunks);
    });

    it("the record of a finished upload expires: the file stays", async () => {
      const gateway = await start();
      const url = await create(gateway, 5);
      const { headers } = await patch(url, 0, Buffer.from("stays"));
      await database.pool.query("UPDATE upload SET expires_at = now() - interval '1 second' WHERE id = $1", [idOf(url)]);
      await expect.poll(() => uploadRow(url)).toBeUndefined();
      expect((await contentOf(database, gateway.nodes, String(headers["holdfast-entry-id"]))).toString()).toBe("stays");
    });

    it("every connection to the database breaks: the next sweep works again", async () => {
      const gateway = await start();
      await database.pool.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
      );
      const url = await vi.waitFor(() => dieBeforeTheEnd(gateway, "after-the-outage.txt"), { timeout: 5_000 }); // as a client does after a 503
      await expect.poll(async () => (await uploadRow(url)).state, { timeout: 5_000 }).toBe("committed");
    });

    async function chunkCount(): Promise<number> {
      const { rows } = await database.pool.query<{ count: number }>("SELECT count(*) FROM chunk");
      return rows[0]!.count;
    }
  });

  describe("the database is down", () => {
    it("every request is answered 503 with when to retry, never 404", async () => {
      const working = await start();
      const url = await create(working, 5);
      const away = openDatabase("postgresql://nobody@127.0.0.1:1/none", { onError: () => undefined });
      const gateway = await second(working, { database: away });
      const answers = [
        await send("HEAD", via(gateway, url)),
        await patch(via(gateway, url), 0, Buffer.from("hello")),
        await send("DELETE", via(gateway, url)),
        await send("POST", gateway.url, { "upload-length": 1, "upload-metadata": metadata({ filename: "x" }) }),
      ];
      for (const answer of answers) {
        expect(answer.status).toBe(503);
        expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
      }
      expect(answers[1]!.body.error).toBe("database.unavailable");
      expect((await patch(url, 0, Buffer.from("hello"))).status).toBe(204);
      await away.close();
    });
  });

  describe("the gateway is told to stop", () => {
    it("uploads under way commit what they have", async () => {
      const gateway = await startGateway(database);
      const { url, req, answer } = await stall(gateway, bytesOf(2));
      const stopped = gateway.stop();
      const { headers } = await answer;
      req.destroy();
      await stopped;
      expect((await uploadRow(url)).offset).toBe(Number(headers["upload-offset"]));
    });
  });
});
