/** A drive on a real database, files in the chunks of in-memory nodes, and a real HTTP server that sends them. */
import { randomUUID } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { chunkIdOf, chunkIdToBytes } from "../../chunking/index.ts";
import { type Actor, type Content, createContentFinder } from "../../drive/index.ts";
import { startHttpServer } from "../../http-edge/index.ts";
import { createLogger } from "../../kernel/index.ts";
import { createTestNodes, type TestNodes } from "../../testing/index.ts";
import { createDownloads, type Downloads } from "../index.ts";

export interface NewFile {
  bytes: Buffer;
  name?: string;
  mediaType?: string;
  chunkBytes?: number;
  /** What lies before it, and as much behind it, in each of its chunks: it is in packs. */
  amidst?: Buffer;
}

export interface DriveWithContent {
  database: TestDatabase;
  nodes: TestNodes;
  downloads: Downloads;
  url: string;
  /** Returns the entry's address. The query `?as=stranger` asks in the name of another user. */
  store(file: NewFile): Promise<{ url: string; content: Content }>;
  stop(): Promise<void>;
}

export async function startDriveWithContent(options: { bufferBytes?: number; patienceMs?: number } = {}): Promise<DriveWithContent> {
  const database = await createTestDatabase();
  const nodes = createTestNodes(3);
  const logger = createLogger("test", "silent");
  const downloads = createDownloads({ pool: database.pool, ...nodes, logger, ...options });
  const findContent = createContentFinder(database.pool);
  const owner = await createActor(database, "owner");
  const stranger = await createActor(database, "stranger");
  const server = await startHttpServer({
    port: 0,
    bind: "127.0.0.1",
    portSetting: "",
    logger,
    async handler(req, res) {
      const { pathname, searchParams } = new URL(req.url!, "http://drive");
      const actor = searchParams.get("as") === "stranger" ? stranger : owner;
      const content = await findContent(actor, pathname.slice(1), searchParams.get("version") ?? undefined);
      await downloads.send(req, res, content, { asDownload: searchParams.has("download") });
    },
  });
  const url = `http://127.0.0.1:${server.address.port}`;
  return {
    database,
    nodes,
    downloads,
    url,
    async store(file) {
      const entryId = await storeFile(database, nodes, owner, file);
      return { url: `${url}/${entryId}`, content: await findContent(owner, entryId, undefined) };
    },
    async stop() {
      await server.stop();
      await database.drop();
    },
  };
}

async function createActor({ prisma }: TestDatabase, userId: string): Promise<Actor> {
  await prisma.user.create({ data: { id: userId, name: userId, email: `${userId}@example.test` } });
  const drive = await prisma.drive.create({ data: { ownerId: userId } });
  const root = await prisma.entry.create({ data: { driveId: drive.id, kind: "folder", name: "" } });
  return { userId, role: "user", driveId: drive.id, rootId: root.id };
}

async function storeFile(database: TestDatabase, nodes: TestNodes, actor: Actor, file: NewFile): Promise<string> {
  const { bytes, name = randomUUID(), mediaType = "application/octet-stream", chunkBytes = 1_000, amidst = Buffer.alloc(0) } = file;
  const { driveId, rootId: parentId } = actor;
  const { id: entryId } = await database.prisma.entry.create({
    data: { driveId, parentId, kind: "file", name, mediaType, sizeBytes: bytes.length },
  });
  const { id: versionId } = await database.prisma.version.create({
    data: { driveId, entryId, state: "committed", sizeBytes: bytes.length },
  });
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    await storeChunk(database, nodes, { versionId, offset, bytes: bytes.subarray(offset, offset + chunkBytes), amidst });
  }
  await database.prisma.entry.update({ where: { id: entryId }, data: { currentVersionId: versionId } });
  return entryId;
}

interface ExtentToStore {
  versionId: string;
  offset: number;
  bytes: Buffer;
  amidst: Buffer;
}

async function storeChunk(database: TestDatabase, nodes: TestNodes, { versionId, offset, bytes, amidst }: ExtentToStore): Promise<void> {
  const pack = Buffer.concat([amidst, bytes, amidst]);
  const id = chunkIdOf(pack);
  for (const { store } of nodes.all) await store.put(id, pack);
  const replicas = nodes.all.map((node) => node.snapshot.id);
  await database.pool.query("INSERT INTO chunk (id, length, replicas) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [
    chunkIdToBytes(id),
    pack.length,
    replicas,
  ]);
  await database.pool.query(`INSERT INTO extent (version_id, "offset", length, chunk_id, chunk_offset) VALUES ($1, $2, $3, $4, $5)`, [
    versionId,
    offset,
    bytes.length,
    chunkIdToBytes(id),
    amidst.length,
  ]);
}
