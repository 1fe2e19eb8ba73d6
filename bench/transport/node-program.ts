/** The doors of a storage node, as they are, before a store without a disk: what is measured is the way there and back. */
import { ChunkStoreError, type ChunkStore, MemoryChunkStore, viewFor } from "@holdfast/core/chunk-store";
import { asksForChunkStream } from "@holdfast/core/chunk-transport";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";
import { startHttpServer } from "@holdfast/core/http-edge";
import { createLogger, limits } from "@holdfast/core/kernel";
import { createLatencyMeter } from "@holdfast/core/node-registration";
import { createChunkMemory } from "../../apps/node/src/chunk-memory.ts";
import { createNodeHandler } from "../../apps/node/src/handler.ts";
import { chunkRoutes } from "../../apps/node/src/routes/chunks.ts";
import { createChunkStreams } from "../../apps/node/src/transport/chunk-streams.ts";

/** Checks each chunk on its way in and out as a disk's store does, and keeps only the newest of each length. */
class PassingStore extends MemoryChunkStore implements ChunkStore {
  readonly #newest = new Map<number, { id: ChunkId; bytes: Buffer }>();

  override async put(id: ChunkId, bytes: Buffer) {
    if (chunkIdOf(bytes) !== id) throw new ChunkStoreError("chunk.mismatch", "These bytes have another name.");
    if (this.#newest.get(bytes.length)?.id !== id) this.#newest.set(bytes.length, { id, bytes: Buffer.from(bytes) });
    return { stored: true };
  }

  override async stat(id: ChunkId) {
    const held = this.#held(id);
    return held && { id, length: held.length };
  }

  override async get(id: ChunkId, { into }: { into?: Buffer } = {}) {
    const held = this.#held(id)!;
    const bytes = viewFor(held.length, into);
    held.copy(bytes);
    if (chunkIdOf(bytes) !== id) throw new ChunkStoreError("chunk.corrupt", "This chunk is damaged.");
    return bytes;
  }

  #held(id: ChunkId): Buffer | undefined {
    return [...this.#newest.values()].find((chunk) => chunk.id === id)?.bytes;
  }
}

const clusterKey = process.argv[2]!;
const logger = createLogger("bench-node", "error");
const latencies = { write: createLatencyMeter(), read: createLatencyMeter() };
const access = { store: new PassingStore(), memory: createChunkMemory(), latencies, requireJoined: () => undefined };
const streams = createChunkStreams({ ...access, clusterKey, logger });
const server = await startHttpServer({
  port: 0,
  portSetting: "",
  bind: "127.0.0.1",
  handler: createNodeHandler([...chunkRoutes(access), streams.route], clusterKey),
  upgrades: asksForChunkStream,
  logger,
  idleTimeoutMs: limits.nodeRequestTimeoutMs,
});
process.on("disconnect", () => process.exit());
process.send!(server.address.port);
