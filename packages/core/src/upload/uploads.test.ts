import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { Upload as TusUpload, type UploadOptions } from "tus-js-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHUNK_BYTES, contentOf, create, type Gateway, metadata, OCTETS, offsetOf, patch, send, startGateway } from "./testing/gateway.ts";

let database: TestDatabase;
let gateway: Gateway;

beforeAll(async () => {
  database = await createTestDatabase();
  gateway = await startGateway(database);
});
afterAll(async () => {
  await gateway.stop();
  await database.drop();
});

/** By the client that the Drive's page uses. Resolves with the headers of the last answer. */
function uploadByTus(bytes: Buffer | Readable, options: Partial<UploadOptions> = {}): Promise<{ url: string; entryId: string }> {
  return new Promise((resolve, reject) => {
    let entryId = "";
    const upload = new TusUpload(bytes as Buffer, {
      endpoint: gateway.url,
      metadata: { filename: "by-tus.bin", filetype: "application/octet-stream" },
      retryDelays: null,
      onAfterResponse: (_, response) => {
        entryId = response.getHeader("Holdfast-Entry-Id") ?? entryId;
      },
      onError: reject,
      onSuccess: () => resolve({ url: upload.url!, entryId }),
      ...options,
    });
    upload.start();
  });
}

const content = (entryId: string) => contentOf(database, gateway.nodes, entryId);
const bytesOf = (chunks: number) => randomBytes(Math.round(chunks * CHUNK_BYTES));

async function entry(id: string): Promise<{ name: string; parentId: string; mediaType: string; sizeBytes: number }> {
  const { rows } = await database.pool.query<{ name: string; parentId: string; mediaType: string; sizeBytes: number }>(
    `SELECT name, parent_id AS "parentId", media_type AS "mediaType", size_bytes AS "sizeBytes" FROM entry WHERE id = $1`,
    [id],
  );
  return rows[0]!;
}

describe("a file is uploaded", () => {
  it("by the tus client, in one request: three copies of each chunk, and the same bytes", async () => {
    const bytes = bytesOf(5.5);
    const { entryId } = await uploadByTus(bytes);
    expect((await content(entryId)).equals(bytes)).toBe(true);
    expect(await entry(entryId)).toMatchObject({ name: "by-tus.bin", sizeBytes: bytes.length, parentId: gateway.owner.rootId });
    await expect.poll(() => fewestCopies(entryId)).toBe(3);
  });

  it("by the tus client, in pieces that are no multiple of a chunk", async () => {
    const bytes = bytesOf(3.2);
    const { entryId } = await uploadByTus(bytes, { chunkSize: 50_000 });
    expect((await content(entryId)).equals(bytes)).toBe(true);
  });

  it("by the tus client, its bytes in the creation itself", async () => {
    const bytes = bytesOf(1.5);
    const { entryId } = await uploadByTus(bytes, { uploadDataDuringCreation: true });
    expect((await content(entryId)).equals(bytes)).toBe(true);
  });

  it("by the tus client, in three parallel parts that become one file", async () => {
    const bytes = bytesOf(7);
    const { entryId, url } = await uploadByTus(bytes, { parallelUploads: 3 });
    expect((await content(entryId)).equals(bytes)).toBe(true);
    const head = await send("HEAD", url);
    expect(head.headers).toMatchObject({ "holdfast-entry-id": entryId, "upload-offset": String(bytes.length) });
    expect(head.headers["upload-concat"]).toMatch(/^final;/);
  });

  it("by the tus client, its length said only at the end", async () => {
    const bytes = bytesOf(2.5);
    const { entryId } = await uploadByTus(Readable.from([bytes]), { uploadLengthDeferred: true, chunkSize: CHUNK_BYTES });
    expect((await content(entryId)).equals(bytes)).toBe(true);
  });

  it("with nothing in it", async () => {
    const answer = await send("POST", gateway.url, { "upload-length": 0, "upload-metadata": metadata({ filename: "empty.txt" }) });
    expect(answer.status).toBe(201);
    expect(await entry(String(answer.headers["holdfast-entry-id"]))).toMatchObject({ name: "empty.txt", sizeBytes: 0 });
  });

  it("into a folder, its subfolders made, with its type", async () => {
    const { rows } = await database.pool.query<{ id: string }>(
      "INSERT INTO entry (id, drive_id, parent_id, kind, name) VALUES (uuidv7(), $1, $2, 'folder', 'Photos') RETURNING id",
      [gateway.owner.driveId, gateway.owner.rootId],
    );
    const values = { filename: "café ☕.jpg", filetype: "image/jpeg", parentId: rows[0]!.id, relativePath: "2024/summer/café ☕.jpg" };
    const url = await create(gateway, 3, { "upload-metadata": metadata(values) });
    const answer = await patch(url, 0, Buffer.from("abc"));
    const file = await entry(String(answer.headers["holdfast-entry-id"]));
    expect(file).toMatchObject({ name: "café ☕.jpg", mediaType: "image/jpeg" });
    const summer = await entry(file.parentId);
    expect(summer.name).toBe("summer");
    expect((await entry(summer.parentId)).parentId).toBe(rows[0]!.id);
  });

  it("twice under one name: kept both, replaced, or skipped, as asked", async () => {
    const names: string[] = [];
    for (const conflict of ["keep-both", "keep-both", "replace", "skip"]) {
      const url = await create(gateway, 4, { "upload-metadata": metadata({ filename: "twice.txt", conflict }) });
      const answer = await patch(url, 0, randomBytes(4));
      names.push((await entry(String(answer.headers["holdfast-entry-id"]))).name);
    }
    expect(names).toEqual(["twice.txt", "twice (2).txt", "twice.txt", "twice.txt"]);
  });

  it("by many at once under one name: each gets a name of its own", async () => {
    const urls = await Promise.all(
      Array.from({ length: 8 }, () => create(gateway, 4, { "upload-metadata": metadata({ filename: "rush.txt" }) })),
    );
    const answers = await Promise.all(urls.map((url) => patch(url, 0, randomBytes(4))));
    const names = await Promise.all(answers.map(async ({ headers }) => (await entry(String(headers["holdfast-entry-id"]))).name));
    expect(new Set(names).size).toBe(8);
  });
});

describe("what the server tells", () => {
  it("OPTIONS: its extensions, checksums and limit, and no invitation to other origins", async () => {
    const { status, headers } = await send("OPTIONS", gateway.url, { origin: gateway.address });
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      "tus-version": "1.0.0",
      "tus-extension": "creation,creation-with-upload,creation-defer-length,termination,expiration,checksum,concatenation",
      "tus-checksum-algorithm": "sha1,sha256,md5,blake3",
      "tus-max-size": String(16 * 2 ** 40),
    });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it("HEAD: where the upload stands, its metadata as it was sent, and when it expires", async () => {
    const sent = `${metadata({ filename: "half.bin" })},vendor ${Buffer.from("x").toString("base64")}`;
    const url = await create(gateway, 10, { "upload-metadata": sent });
    await patch(url, 0, Buffer.from("12345"));
    const { status, headers } = await send("HEAD", url);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ "upload-offset": "5", "upload-length": "10", "upload-metadata": sent, "cache-control": "no-store" });
    expect(Date.parse(headers["upload-expires"] as string)).toBeGreaterThan(Date.now());
  });

  it("the address of a new upload is relative: it works behind any proxy", async () => {
    const answer = await send("POST", gateway.url, {
      "upload-length": 1,
      "upload-metadata": metadata({ filename: "a" }),
      "x-forwarded-host": "evil.example",
    });
    expect(answer.headers.location).toMatch(/^\/api\/upload\/[0-9a-f-]{36}$/);
  });
});

describe("an upload goes on", () => {
  it("from where it stopped, on another day and device", async () => {
    const bytes = bytesOf(2.5);
    const url = await create(gateway, bytes.length);
    await patch(url, 0, bytes.subarray(0, 70_000));
    const offset = await offsetOf(url);
    expect(offset).toBe(70_000);
    const answer = await patch(url, offset, bytes.subarray(offset));
    expect(answer.status).toBe(204);
    expect((await content(String(answer.headers["holdfast-entry-id"]))).equals(bytes)).toBe(true);
  });

  it("when its last answer was lost: asking again tells which file it became", async () => {
    const url = await create(gateway, 5);
    const { headers } = await patch(url, 0, Buffer.from("hello"));
    const entryId = headers["holdfast-entry-id"];
    expect((await send("HEAD", url)).headers["holdfast-entry-id"]).toBe(entryId);
    expect((await patch(url, 5, Buffer.alloc(0))).headers["holdfast-entry-id"]).toBe(entryId);
  });

  it("until it is terminated: then it is gone, and so are its extents", async () => {
    const url = await create(gateway, 10);
    await patch(url, 0, Buffer.from("12345"));
    expect((await send("DELETE", url)).status).toBe(204);
    expect((await send("HEAD", url)).status).toBe(404);
    expect((await patch(url, 5, Buffer.from("67890"))).status).toBe(404);
    const { rowCount } = await database.pool.query(
      "SELECT FROM version WHERE state = 'receiving' AND NOT EXISTS (SELECT FROM upload WHERE version_id = version.id)",
    );
    expect(rowCount).toBe(0);
  });

  it("terminating a finished upload forgets the upload and keeps the file", async () => {
    const url = await create(gateway, 5);
    const { headers } = await patch(url, 0, Buffer.from("keep!"));
    expect((await send("DELETE", url)).status).toBe(204);
    expect((await content(String(headers["holdfast-entry-id"]))).toString()).toBe("keep!");
  });
});

describe("checksums", () => {
  const bytes = Buffer.from("the bytes of a careful client");

  it.each(["sha1", "sha256", "md5"])("a body with the right %s is taken", async (algorithm) => {
    const url = await create(gateway, bytes.length);
    const checksum = `${algorithm} ${createHash(algorithm).update(bytes).digest("base64")}`;
    expect((await patch(url, 0, bytes, { "upload-checksum": checksum })).status).toBe(204);
  });

  it("a body that was changed on its way leaves the offset where it was, and may be sent again", async () => {
    const long = bytesOf(3.5);
    const url = await create(gateway, long.length);
    const checksum = `sha1 ${createHash("sha1").update(long).digest("base64")}`;
    const damaged = Buffer.from(long);
    damaged[CHUNK_BYTES * 2]! ^= 1;
    const refused = await patch(url, 0, damaged, { "upload-checksum": checksum });
    expect(refused).toMatchObject({ status: 460, body: { error: "upload.checksum_mismatch" } });
    expect(await offsetOf(url)).toBe(0);
    const taken = await patch(url, 0, long, { "upload-checksum": checksum });
    expect((await content(String(taken.headers["holdfast-entry-id"]))).equals(long)).toBe(true);
  });

  it.each(["crc32 AAAAAA==", "sha1", "sha1 AAAA", "sha1 not-base64!", "SHA1 AAAAAAAAAAAAAAAAAAAAAAAAAAA="])(
    "%s is refused before a byte is stored",
    async (checksum) => {
      const url = await create(gateway, bytes.length);
      const answer = await patch(url, 0, bytes, { "upload-checksum": checksum });
      expect(answer).toMatchObject({ status: 400, body: { error: "upload.bad_checksum" } });
      expect(await offsetOf(url)).toBe(0);
    },
  );
});

describe("concatenation", () => {
  const part = async (bytes: Buffer): Promise<string> => {
    const answer = await send("POST", gateway.url, { "upload-length": bytes.length, "upload-concat": "partial", ...OCTETS }, bytes);
    return answer.headers.location!;
  };
  const join = (parts: string[], filename = "joined.bin") =>
    send("POST", gateway.url, { "upload-concat": `final;${parts.join(" ")}`, "upload-metadata": metadata({ filename }) });

  it("parts that were sent out of order are joined in the order asked for; one may be used twice", async () => {
    const pieces = [bytesOf(1.3), bytesOf(0.4), bytesOf(2)];
    const last = await part(pieces[2]!);
    const first = await part(pieces[0]!);
    const middle = await part(pieces[1]!);
    const answer = await join([first, gateway.address + middle, last, first]);
    expect(answer.status).toBe(201);
    const expected = Buffer.concat([...pieces, pieces[0]!]);
    expect((await content(String(answer.headers["holdfast-entry-id"]))).equals(expected)).toBe(true);
  });

  it("asked for again because the answer was lost: the same file, not a second one", async () => {
    const parts = [await part(bytesOf(0.1)), await part(bytesOf(0.1))];
    const [once, again] = await Promise.all([join(parts, "once.bin"), join(parts, "once.bin")]);
    expect(again.headers["holdfast-entry-id"]).toBe(once.headers["holdfast-entry-id"]);
  });

  it("a part that lacks bytes, is unknown, or is a file of its own is refused", async () => {
    const unfinished = await send("POST", gateway.url, { "upload-length": 5, "upload-concat": "partial" });
    const whole = await create(gateway, 0);
    expect(await join([unfinished.headers.location!])).toMatchObject({ status: 409, body: { error: "upload.part_unfinished" } });
    expect(await join([whole])).toMatchObject({ status: 409 });
    expect(await join(["/api/upload/00000000-0000-7000-8000-000000000000"])).toMatchObject({ status: 404 });
  });

  it("a final upload takes no bytes of its own", async () => {
    const answer = await join([await part(Buffer.from("part"))]);
    expect(await patch(gateway.address + answer.headers.location!, 4, Buffer.from("more"))).toMatchObject({ status: 403 });
  });

  it("a part alone never becomes a file", async () => {
    const { headers } = await send("HEAD", gateway.address + (await part(Buffer.from("part"))));
    expect(headers).toMatchObject({ "upload-concat": "partial", "upload-offset": "4" });
    expect(headers["holdfast-entry-id"]).toBeUndefined();
  });
});

describe("deduplication", () => {
  it("the same bytes again cost references and no writes", async () => {
    const bytes = bytesOf(4);
    await uploadByTus(bytes);
    const written = () => gateway.nodes.all.reduce((sum, { attempts }) => sum + attempts, 0);
    const before = written();
    const { entryId } = await uploadByTus(bytes);
    expect(written()).toBe(before);
    expect((await content(entryId)).equals(bytes)).toBe(true);
  });

  it("a file of one chunk over and over is committed in one go", async () => {
    const bytes = Buffer.alloc(CHUNK_BYTES * 10, "same");
    const { entryId } = await uploadByTus(bytes);
    expect((await content(entryId)).equals(bytes)).toBe(true);
  });

  it("copies on nodes that are gone do not count: the bytes are written again", async () => {
    const bytes = bytesOf(1);
    const { entryId } = await uploadByTus(bytes);
    await database.pool.query(
      "UPDATE chunk SET replicas = '{1,77}' WHERE id IN (SELECT chunk_id FROM extent JOIN entry ON current_version_id = version_id WHERE entry.id = $1)",
      [entryId],
    );
    const again = await uploadByTus(bytes);
    await expect.poll(() => fewestCopies(again.entryId)).toBe(4);
  });
});

async function fewestCopies(entryId: string): Promise<number> {
  const { rows } = await database.pool.query<{ copies: number }>(
    `SELECT min(cardinality(replicas)) AS copies FROM entry JOIN extent ON version_id = current_version_id JOIN chunk ON chunk.id = chunk_id
      WHERE entry.id = $1`,
    [entryId],
  );
  return rows[0]!.copies;
}
