import { randomBytes, randomUUIDv7 } from "node:crypto";
import { connect } from "node:net";
import type { OutgoingHttpHeaders } from "node:http";
import { inTransaction } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Actor } from "../drive/index.ts";
import { limits } from "../kernel/index.ts";
import {
  CHUNK_BYTES,
  create,
  createActor,
  type Gateway,
  metadata,
  OCTETS,
  offsetOf,
  open,
  patch,
  send,
  startGateway,
} from "./testing/gateway.ts";
import { insertUpload } from "./upload-row.ts";

const people: Actor[] = [];
const NAMED = { "upload-metadata": metadata({ filename: "file.bin" }) };
const base64 = (text: string | Buffer) => Buffer.from(text).toString("base64");

let database: TestDatabase;
let stranger: Actor;
let gateway: Gateway;

beforeAll(async () => {
  database = await createTestDatabase();
  stranger = await createActor(database);
  people.push(stranger);
  gateway = await startGateway(database, { people, sweepIntervalMs: 3_600_000 });
});
afterAll(async () => {
  await gateway.stop();
  await database.drop();
});

async function uploadCount(): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>("SELECT count(*) FROM upload");
  return rows[0]!.count;
}

describe("a length that is none", () => {
  it.each([
    ["-1", 400],
    ["1e3", 400],
    ["0x10", 400],
    ["007", 400],
    ["+5", 400],
    ["1.5", 400],
    ["ten", 400],
    ["9007199254740992", 413],
    ["99999999999999999999999999", 413],
    [String(16 * 2 ** 40 + 1), 413],
  ])("Upload-Length: %s is answered %i", async (length, status) => {
    const before = await uploadCount();
    const answer = await send("POST", gateway.url, { ...NAMED, "upload-length": length });
    expect(answer.status).toBe(status);
    expect(answer.body.message).toMatch(/bytes/);
    expect(await uploadCount()).toBe(before);
  });

  it.each<[string, OutgoingHttpHeaders, string]>([
    ["said twice", { "upload-length": ["10", "10"] }, "upload-length is there 2 times"],
    ["said twice, and differently", { "upload-length": ["10", "20"] }, "upload-length is there 2 times"],
    ["neither said nor deferred", {}, "Send either Upload-Length"],
    ["both said and deferred", { "upload-length": 1, "upload-defer-length": "1" }, "Send either Upload-Length"],
    ["deferred by something else than 1", { "upload-defer-length": "2" }, "can only be 1"],
    [
      "said of a concatenation",
      { "upload-length": 1, "upload-concat": "final;/api/upload/00000000-0000-7000-8000-000000000000" },
      "that of its parts",
    ],
  ])("%s", async (_, headers, message) => {
    const answer = await send("POST", gateway.url, { ...NAMED, ...headers });
    expect(answer).toMatchObject({ status: 400, body: { error: "upload.bad_header" } });
    expect(answer.body.message).toContain(message);
  });
});

describe("metadata that cannot be read", () => {
  it.each<[string, string, string]>([
    ["no name", "", "must tell the file's name"],
    ["a key twice", `filename ${base64("a")},filename ${base64("b")}`, 'has the key "filename" twice'],
    ["a value that is no base64", "filename ???", "not base64"],
    ["base64 without its padding", "filename YQ", "not base64"],
    ["base64 for URLs", "filename _-8=", "not base64"],
    ["bytes that are no UTF-8", `filename ${base64(Buffer.from([0x61, 0xff, 0xc0, 0xaf]))}`, "not UTF-8"],
    ["three words where two belong", `filename ${base64("a")} more`, "comma-separated"],
    ["an empty key", `filename ${base64("a")},,x ${base64("b")}`, "comma-separated"],
    [
      "a conflict policy nobody knows",
      `filename ${base64("a")},conflict ${base64("overwrite")}`,
      '"conflict" in Upload-Metadata must be one of',
    ],
    ["nine kilobytes", `filename ${base64("a")},x ${base64("y".repeat(7_000))}`, "longer than 8192 bytes"],
  ])("%s", async (_, header, message) => {
    const answer = await send("POST", gateway.url, { "upload-length": 1, "upload-metadata": header });
    expect(answer).toMatchObject({ status: 400, body: { error: "upload.bad_metadata" } });
    expect(answer.body.message).toContain(message);
  });

  it("a media type that is none is left out, and the file is taken", async () => {
    const url = await create(gateway, 1, { "upload-metadata": metadata({ filename: "odd", filetype: "text/html\r\nX-Evil: 1" }) });
    await patch(url, 0, Buffer.from("x"));
    const { rows } = await database.pool.query("SELECT media_type FROM entry WHERE name = 'odd'");
    expect(rows).toEqual([{ media_type: "" }]);
  });
});

describe("names", () => {
  it.each(["a/b", "a\0b", "..", ".", "", "   ", "a\nb", "x".repeat(300), "é".repeat(128)])(
    "%j is refused before a byte is sent",
    async (filename) => {
      const answer = await send("POST", gateway.url, { "upload-length": 1, "upload-metadata": metadata({ filename }) });
      expect(answer.status).toBe(400);
      expect(answer.body.error).toMatch(/^name\./);
    },
  );

  it.each(["🏝️ holiday.jpg", "مستند.pdf", "trailing dots...", "'; DROP TABLE entry; --", "<script>.html", "x".repeat(255)])(
    "%j is taken as it is",
    async (filename) => {
      const answer = await send("POST", gateway.url, { "upload-length": 0, "upload-metadata": metadata({ filename }) });
      expect(answer.status).toBe(201);
      const { rows } = await database.pool.query("SELECT name FROM entry WHERE id = $1", [answer.headers["holdfast-entry-id"]]);
      expect(rows).toEqual([{ name: filename }]);
    },
  );

  it.each(["../../etc", "a/../b", "a/\0"])("the relative path %j is refused", async (relativePath) => {
    const answer = await send("POST", gateway.url, { "upload-length": 1, "upload-metadata": metadata({ filename: "x", relativePath }) });
    expect(answer.status).toBe(400);
  });
});

describe("a parent folder that cannot take it", () => {
  const into = (parentId: string) =>
    send("POST", gateway.url, { "upload-length": 1, "upload-metadata": metadata({ filename: "x", parentId }) });

  it("one that never was, one of somebody else, one that is no id", async () => {
    for (const parentId of ["00000000-0000-7000-8000-000000000000", stranger.rootId, "' OR 1=1"]) {
      expect(await into(parentId)).toMatchObject({ status: 404, body: { error: "entry.not_found" } });
    }
  });

  it("one that is a file", async () => {
    const file = await send("POST", gateway.url, { "upload-length": 0, ...NAMED });
    expect(await into(String(file.headers["holdfast-entry-id"]))).toMatchObject({ status: 409, body: { error: "entry.not_a_folder" } });
  });
});

describe("somebody else's upload", () => {
  it("is not there, whatever is asked of it, and goes on undisturbed", async () => {
    const url = await create(gateway, 10);
    await patch(url, 0, Buffer.from("12345"));
    const asStranger = { "x-actor": stranger.userId };
    expect((await send("HEAD", url, asStranger)).status).toBe(404);
    expect((await patch(url, 5, Buffer.from("67890"), asStranger)).status).toBe(404);
    expect((await send("DELETE", url, asStranger)).status).toBe(404);
    expect(await offsetOf(url)).toBe(5);
  });

  it("is no part of one's own file", async () => {
    const part = await send("POST", gateway.url, { "upload-length": 4, "upload-concat": "partial", ...OCTETS }, Buffer.from("mine"));
    const theft = await send("POST", gateway.url, {
      ...NAMED,
      "upload-concat": `final;${part.headers.location}`,
      "x-actor": stranger.userId,
    });
    expect(theft.status).toBe(404);
  });

  it("cannot be interrupted by a stranger who knows its id", async () => {
    const url = await create(gateway, CHUNK_BYTES);
    const { req, answer } = open("PATCH", url, { ...OCTETS, "upload-offset": 0, "content-length": CHUNK_BYTES });
    req.write(Buffer.alloc(100));
    for (let count = 0; count < 3; count++) await send("HEAD", url, { "x-actor": stranger.userId });
    req.end(Buffer.alloc(CHUNK_BYTES - 100));
    expect((await answer).headers["upload-offset"]).toBe(String(CHUNK_BYTES));
  });
});

describe("a PATCH that does not fit", () => {
  it("at a wrong offset: 409, and nothing is stored", async () => {
    const url = await create(gateway, 10);
    await patch(url, 0, Buffer.from("123"));
    for (const offset of [0, 2, 4, 9]) {
      expect(await patch(url, offset, Buffer.from("x"))).toMatchObject({ status: 409, body: { error: "upload.wrong_offset" } });
    }
    expect(await offsetOf(url)).toBe(3);
  });

  it("with more bytes than are left: 413, and nothing is stored", async () => {
    const url = await create(gateway, 10);
    expect(await patch(url, 0, Buffer.alloc(11))).toMatchObject({ status: 413, body: { error: "upload.too_long" } });
    expect(await offsetOf(url)).toBe(0);
  });

  it("with more bytes than are left, and no word of how many: what is too much never makes a file", async () => {
    const url = await create(gateway, CHUNK_BYTES);
    const { req, answer } = open("PATCH", url, { ...OCTETS, "upload-offset": 0, "transfer-encoding": "chunked" });
    req.end(randomBytes(CHUNK_BYTES + 1));
    expect(await answer).toMatchObject({ status: 413 });
    expect(await offsetOf(url)).toBe(0);
  });

  it("after the end: 413 with a byte, and fine without one", async () => {
    const url = await create(gateway, 3);
    await patch(url, 0, Buffer.from("abc"));
    expect((await patch(url, 3, Buffer.from("d"))).status).toBe(413);
    expect((await patch(url, 3, Buffer.alloc(0))).status).toBe(204);
  });

  it("to an upload nobody knows: 404", async () => {
    for (const id of ["00000000-0000-7000-8000-000000000000", "nonsense", "..%2f..%2fetc", "a/b"]) {
      expect((await patch(`${gateway.url}/${id}`, 0, Buffer.from("x"))).status).toBe(404);
    }
  });

  it("to an upload that has expired: 410", async () => {
    const url = await create(gateway, 10);
    await database.pool.query("UPDATE upload SET expires_at = now() - interval '1 minute' WHERE id = $1", [url.split("/").at(-1)]);
    expect(await patch(url, 0, Buffer.from("x"))).toMatchObject({ status: 410, body: { error: "upload.expired" } });
    expect((await send("HEAD", url)).status).toBe(410);
  });

  it.each<[string, OutgoingHttpHeaders, number]>([
    ["of another type", { "content-type": "text/plain", "upload-offset": 0 }, 415],
    ["without an offset", OCTETS, 400],
    ["with two offsets", { ...OCTETS, "upload-offset": ["0", "5"] }, 400],
    ["with an offset below zero", { ...OCTETS, "upload-offset": "-1" }, 400],
    ["in another version of the protocol", { ...OCTETS, "upload-offset": 0, "tus-resumable": "0.2.2" }, 412],
    ["that declares a length the upload has already", { ...OCTETS, "upload-offset": 0, "upload-length": 10 }, 400],
  ])("%s", async (_, headers, status) => {
    const url = await create(gateway, 10);
    const answer = await send("PATCH", url, headers, Buffer.from("x"));
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error: expect.any(String), message: expect.any(String) });
    expect(await offsetOf(url)).toBe(0);
  });

  it("that declares a deferred length below what is there already", async () => {
    const url = await create(gateway, undefined);
    await patch(url, 0, Buffer.from("12345"));
    expect((await patch(url, 5, Buffer.alloc(0), { "upload-length": 4 })).status).toBe(400);
    expect((await send("HEAD", url)).headers["upload-defer-length"]).toBe("1");
  });
});

describe("requests that are none", () => {
  it.each([
    ["GET", ""],
    ["PUT", ""],
    ["PATCH", ""],
    ["POST", "/00000000-0000-7000-8000-000000000000"],
  ])("%s %s is answered 405 with what is allowed", async (method, path) => {
    const answer = await send(method, gateway.url + path);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toMatch(/OPTIONS/);
  });

  it("Upload-Concat that is neither partial nor final", async () => {
    for (const concat of ["final", "final;", "whole", "final;/etc/passwd", "final;/api/upload/"]) {
      const answer = await send("POST", gateway.url, { ...NAMED, "upload-concat": concat });
      expect([400, 404]).toContain(answer.status);
    }
  });

  it("two lengths on the wire are refused by the server itself", async () => {
    const { port } = new URL(gateway.address);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(`POST /api/upload HTTP/1.1\r\nHost: x\r\nTus-Resumable: 1.0.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`);
    const [answer] = await new Promise<string[]>((resolve) =>
      socket.once("data", (data: Buffer) => resolve(data.toString().split("\r\n"))),
    );
    expect(answer).toContain("400");
    socket.destroy();
  });
});

/** A person of their own, so that no other test's uploads claim room in this drive. */
async function limitedTo(quotaBytes: number): Promise<Actor> {
  const owner = await createActor(database);
  await database.pool.query("UPDATE drive SET quota_bytes = $2 WHERE id = $1", [owner.driveId, quotaBytes]);
  people.push(owner);
  return owner;
}

async function waitingForLock(): Promise<number | null> {
  const { rowCount } = await database.pool.query(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  );
  return rowCount;
}

/** Without asking the gateway, which would end the request that is under way. */
async function committedOf(url: string): Promise<number> {
  const { rows } = await database.pool.query<{ offset: number }>(`SELECT "offset" FROM upload WHERE id = $1`, [url.split("/").at(-1)]);
  return rows[0]!.offset;
}

describe("quota", () => {
  it("more than there is room for is refused before a byte is sent", async () => {
    await database.pool.query("UPDATE drive SET quota_bytes = 1000 WHERE id = $1", [stranger.driveId]);
    const asStranger = { ...NAMED, "x-actor": stranger.userId };
    expect(await send("POST", gateway.url, { ...asStranger, "upload-length": 1001 })).toMatchObject({
      status: 507,
      body: { error: "drive.over_quota" },
    });
    const fits = await send("POST", gateway.url, { ...asStranger, "upload-length": 1000 });
    expect(fits.status).toBe(201);
    await send("DELETE", gateway.address + fits.headers.location!, asStranger);
  });

  it("two uploads begin at once, each with room for itself alone: the second waits for the first, and is refused", async () => {
    const owner = await limitedTo(1_000);
    const whole = { ...NAMED, "x-actor": owner.userId, "upload-length": 900 };
    const second = await inTransaction(database.pool, async (tx) => {
      await insertUpload(tx, { id: randomUUIDv7(), driveId: owner.driveId, role: "whole", length: 900, metadata: "", concat: "" });
      const answer = send("POST", gateway.url, whole);
      await expect.poll(waitingForLock).toBe(1);
      return { answer };
    });
    expect(await second.answer).toMatchObject({ status: 507, body: { error: "drive.over_quota" } });
    const part = { "x-actor": owner.userId, "upload-concat": "partial", "upload-length": 900 };
    expect(await send("POST", gateway.url, part)).toMatchObject({ status: 507, body: { error: "drive.over_quota" } });
  });

  it("a length that is said late finds its room promised to another upload: it is refused", async () => {
    const asOwner = { "x-actor": (await limitedTo(1_000)).userId };
    const url = await create(gateway, undefined, asOwner);
    await create(gateway, 900, asOwner);
    const declared = await patch(url, 0, Buffer.alloc(0), { ...asOwner, "upload-length": 101 });
    expect(declared).toMatchObject({ status: 507, body: { error: "drive.over_quota" } });
    expect((await patch(url, 0, randomBytes(100), { ...asOwner, "upload-length": 100 })).status).toBe(204);
  });

  it("an upload that never says its length gets what is left, and no more", async () => {
    const asOwner = { "x-actor": (await limitedTo(1_000)).userId };
    const url = await create(gateway, undefined, asOwner);
    expect((await patch(url, 0, randomBytes(600), asOwner)).status).toBe(204);
    expect(await patch(url, 600, randomBytes(401), asOwner)).toMatchObject({ status: 507, body: { error: "drive.over_quota" } });
    expect((await patch(url, 600, randomBytes(400), asOwner)).status).toBe(204);
  });

  it("two uploads that never say their length share what is left, however long before it they began", async () => {
    const asOwner = { "x-actor": (await limitedTo(10 * CHUNK_BYTES)).userId };
    const [first, second] = [await create(gateway, undefined, asOwner), await create(gateway, undefined, asOwner)];
    const slow = open("PATCH", second, { ...OCTETS, ...asOwner, "upload-offset": 0 });
    slow.req.write(randomBytes(CHUNK_BYTES));
    await expect.poll(() => committedOf(second)).toBe(CHUNK_BYTES);
    expect((await patch(first, 0, randomBytes(6 * CHUNK_BYTES), asOwner)).status).toBe(204);

    slow.req.end(randomBytes(8 * CHUNK_BYTES));
    expect(await slow.answer).toMatchObject({ status: 507, body: { error: "drive.over_quota" } });
    expect(await committedOf(second)).toBeLessThanOrEqual(4 * CHUNK_BYTES);
  });

  it("parts that fill the drive: the file made of them needs no room beside theirs, and they none beside the file's", async () => {
    const asOwner = { "x-actor": (await limitedTo(1_000)).userId };
    const parts: string[] = [];
    for (const length of [400, 500]) {
      const url = await create(gateway, length, { ...asOwner, "upload-concat": "partial" });
      await patch(url, 0, randomBytes(length), asOwner);
      parts.push(new URL(url).pathname);
    }
    const whole = { ...NAMED, ...asOwner, "upload-concat": `final;${parts.join(" ")}` };
    const made = await send("POST", gateway.url, whole);
    expect(made.status).toBe(201);
    expect((await send("POST", gateway.url, whole)).headers.location).toBe(made.headers.location);
    expect((await send("POST", gateway.url, { ...NAMED, ...asOwner, "upload-length": 100 })).status).toBe(201);
  });

  it("room that was used up meanwhile: the upload fails for good, says why, and holds no bytes", async () => {
    await database.pool.query("UPDATE drive SET quota_bytes = 1000 WHERE id = $1", [stranger.driveId]);
    const asStranger = { "x-actor": stranger.userId };
    const url = await create(gateway, 900, asStranger);
    await database.pool.query("UPDATE drive SET quota_bytes = 500 WHERE id = $1", [stranger.driveId]);
    expect(await patch(url, 0, randomBytes(900), asStranger)).toMatchObject({ status: 507, body: { error: "drive.over_quota" } });
    const later = await patch(url, 900, Buffer.alloc(0), asStranger);
    expect(later).toMatchObject({ status: 410, body: { error: "upload.failed" } });
    expect(later.body.message).toContain("no room left");
    const { rowCount } = await database.pool.query("SELECT FROM extent JOIN upload USING (version_id) WHERE upload.id = $1", [
      url.split("/").at(-1),
    ]);
    expect(rowCount).toBe(0);
  });
});

it("a client that begins uploads and never ends them is stopped at the limit, until one of them is cancelled", async () => {
  const owner = await createActor(database);
  people.push(owner);
  await database.pool.query(
    `WITH made AS (INSERT INTO version (id, drive_id) SELECT uuidv7(), $1 FROM generate_series(1, $2::int) RETURNING id)
     INSERT INTO upload (id, version_id, drive_id, expires_at) SELECT id, id, $1, now() + interval '1 day' FROM made`,
    [owner.driveId, limits.uploadsOpenMax - 1],
  );
  const asOwner = { "x-actor": owner.userId };
  const last = await create(gateway, 3, asOwner);
  const refused = await send("POST", gateway.url, { ...NAMED, ...asOwner, "upload-length": 3 });
  expect(refused).toMatchObject({ status: 429, body: { error: "upload.too_many_open" } });
  await send("DELETE", last, asOwner);
  await create(gateway, 3, asOwner);
});

describe("a method named in a header", () => {
  it("is believed beside POST, for clients that cannot send PATCH", async () => {
    const url = await create(gateway, 3);
    const headers = { "x-http-method-override": "PATCH", ...OCTETS, "upload-offset": 0 };
    expect((await send("POST", url, headers, Buffer.from("abc"))).status).toBe(204);
    expect(await offsetOf(url)).toBe(3);
  });

  it.each(["GET", "HEAD", "OPTIONS"])("a page of another site disguises a change as %s: nothing changes", async (method) => {
    const url = await create(gateway, 3);
    const before = await uploadCount();
    await send(method, url, { origin: "http://elsewhere.example", "x-http-method-override": "DELETE" });
    expect(await uploadCount()).toBe(before);
  });
});
