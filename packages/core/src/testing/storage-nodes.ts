/** Storage nodes inside this process, with faults that can be switched on and off. */
import {
  type ChunkPart,
  type ChunkStore,
  ChunkStoreError,
  MemoryChunkStore,
  type PutResult,
  type ReadOptions,
  viewFor,
} from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import { GiB } from "../kernel/index.ts";
import type { Membership, NodeSnapshot } from "../membership/index.ts";
import type { BadSource, NodeCommands, Replicated } from "../node-client/index.ts";
import { nodeSnapshot } from "./node-snapshot.ts";

/** `hanging` nodes take a request and say nothing until the fault ends; then it succeeds. */
export type NodeFault = "none" | "unreachable" | "hanging" | "full";

type TestNodeCommands = Pick<NodeCommands, "verify" | "trash" | "restore" | "listTrash" | "purgeTrash" | "lostChunks">;

export class TestNode {
  snapshot: NodeSnapshot;
  readonly store: MemoryChunkStore = new MemoryChunkStore(8 * GiB);
  /** Writes that were asked for, whatever became of them. */
  attempts = 0;
  /** Reads that were asked for, and those whose reader left before the answer. */
  reads = 0;
  cancelledReads = 0;
  /** Reads of a part. */
  parts = 0;
  /** False for one of a time before a part of a chunk could be asked for. */
  takesParts = true;
  #fault: NodeFault = "none";
  #recovered = Promise.withResolvers<void>();

  constructor(id: number) {
    this.snapshot = nodeSnapshot(id);
  }

  /** What gateways run into. What the controller thinks of the node is its `snapshot`, and does not change by itself. */
  set fault(fault: NodeFault) {
    this.#fault = fault;
    if (fault === "hanging") this.#recovered = Promise.withResolvers();
    else this.#recovered.resolve();
  }

  /** The highest epoch this node heard. */
  epoch = 0;
  /** What it found damaged. */
  lost: ChunkId[] = [];
  /** Called before the node carries out a command. */
  onCommand: (command: "trash" | "restore" | "purge" | "verify") => void | Promise<void> = () => undefined;

  /** What the controller may tell it, over the network. */
  readonly commands: TestNodeCommands = {
    verify: async (id) => ({ length: (await (await this.#commanded("verify")).get(id)).length }),
    trash: async (ids, epoch) => await (await this.#commanded("trash", epoch)).trash(ids),
    restore: async (ids, epoch) => await (await this.#commanded("restore", epoch)).restore(ids),
    lostChunks: async (after, limit) => {
      const ids = this.lost.filter((id) => after === undefined || id > after).toSorted();
      return ids.slice(0, limit).map((id) => ({ id, lostAt: 0 }));
    },
    listTrash: async (after, limit) => await this.#reached().listTrash(after, limit),
    purgeTrash: async (olderThanMs, epoch) => await (await this.#commanded("purge", epoch)).purgeTrash(olderThanMs),
  };

  /** The node as seen over the network. */
  readonly client: ChunkStore = {
    put: (id, bytes) => this.#put(id, bytes),
    get: (id, options) => this.#get(id, options),
    getPart: (id, part, options) => this.#getPart(id, part, options),
    stat: async (id) => await this.#reached().stat(id),
    delete: async (id) => await this.#reached().delete(id),
    list: async (after, limit) => await this.#reached().list(after, limit),
    stats: async () => await this.#reached().stats(),
    close: async () => undefined,
  };

  /** Fetches it from the first of these that has it whole, keeps it and reads it back, as a real node does. Rejects with `chunk.no_source`. */
  async replicate(id: ChunkId, sources: readonly TestNode[]): Promise<Replicated> {
    const bad: BadSource[] = [];
    for (const { snapshot, client } of sources) {
      const bytes = await client.get(id).catch((error: ChunkStoreError) => {
        bad.push({ nodeId: snapshot.id, reason: error.code as BadSource["reason"] });
      });
      if (bytes === undefined) continue;
      const { stored } = await this.client.put(id, bytes);
      return { stored, length: (await this.client.get(id)).length, bad };
    }
    throw new ChunkStoreError("chunk.no_source", "No source has it whole.", { bad });
  }

  async #commanded(command: Parameters<TestNode["onCommand"]>[0], epoch = this.epoch): Promise<MemoryChunkStore> {
    this.#reached();
    await this.onCommand(command);
    if (epoch < this.epoch)
      throw new ChunkStoreError("store.stale_epoch", "A newer leader commands this node.", { epoch, highest: this.epoch });
    this.epoch = epoch;
    return this.#reached();
  }

  async #put(id: ChunkId, bytes: Buffer): Promise<PutResult> {
    this.attempts++;
    this.#reached();
    if (this.#fault === "full") throw new ChunkStoreError("store.full", "There is no room left on this node.");
    if (this.#fault === "hanging") await this.#recovered.promise;
    return await this.#reached().put(id, bytes);
  }

  async #get(id: ChunkId, { signal, into }: ReadOptions = {}): Promise<Buffer> {
    this.reads++;
    const store = this.#reached();
    if (this.#fault === "hanging") await Promise.race([this.#recovered.promise, signal && aborted(signal)]);
    if (signal?.aborted) this.cancelledReads++;
    signal?.throwIfAborted();
    return await store.get(id, { into });
  }

  async #getPart(id: ChunkId, { from, to }: ChunkPart, { signal, into }: ReadOptions = {}): Promise<Buffer | undefined> {
    if (!this.takesParts) return undefined;
    this.parts++;
    const bytes = viewFor(to - from, into);
    (await this.#get(id, { signal })).copy(bytes, 0, from, to);
    return bytes;
  }

  #reached(): MemoryChunkStore {
    if (this.#fault === "unreachable") throw new ChunkStoreError("store.unreachable", `${this.snapshot.name} does not answer.`);
    return this.store;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

export interface TestNodes {
  /** In ascending order of number, from 1. */
  readonly all: readonly TestNode[];
  readonly membership: Membership;
  readonly clients: { clientFor(node: { id: number }): ChunkStore; commandsFor(node: { id: number }): TestNodeCommands };
}

export function createTestNodes(count: number): TestNodes {
  const all = Array.from({ length: count }, (_, index) => new TestNode(index + 1));
  const byId = (id: number): TestNode | undefined => all.find((node) => node.snapshot.id === id);
  return {
    all,
    membership: { nodes: () => all.map((node) => node.snapshot), node: (id) => byId(id)?.snapshot },
    clients: { clientFor: ({ id }) => byId(id)!.client, commandsFor: ({ id }) => byId(id)!.commands },
  };
}
