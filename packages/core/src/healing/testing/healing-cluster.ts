/** Chunk rows in a real database, nodes in this process, and healing between the two. */
import { randomBytes } from "node:crypto";
import type { TestDatabase } from "@holdfast/db/testing";
import { vi } from "vitest";
import { ChunkStoreError } from "../../chunk-store/index.ts";
import { type ChunkId, chunkIdFromBytes, chunkIdOf, chunkIdToBytes } from "../../chunking/index.ts";
import { createLogger } from "../../kernel/index.ts";
import { createLeadership, type Leadership } from "../../leadership/index.ts";
import type { NodeSnapshot } from "../../membership/index.ts";
import type { NodeAddress } from "../../node-client/index.ts";
import { createTestNodes, type TestNode, toldEvents } from "../../testing/index.ts";
import { createHealing, type Healing, type HealingOptions, listRepairs, type RepairReport } from "../index.ts";

const LONG_MS = 600_000;
const INTERVAL_MS = 10;

export interface Replication {
  id: ChunkId;
  from: readonly number[];
  to: number;
}

type Commands = ReturnType<HealingOptions["clients"]["commandsFor"]>;

export class HealingCluster {
  readonly nodes: readonly TestNode[];
  /** In the order in which they were asked for. */
  readonly replications: Replication[] = [];
  readonly trashed: { id: ChunkId; from: number }[] = [];
  /** Awaited before a node begins with what it was asked for. */
  beforeReplication: (replication: Replication) => void | Promise<void> = () => undefined;
  beforeTrashing: (id: ChunkId) => void | Promise<void> = () => undefined;
  readonly #database: TestDatabase;
  readonly #membership: HealingOptions["membership"];
  readonly #epochs = new Map<number, number>();
  readonly #running: { stop(): Promise<void> }[] = [];

  /** Empties the database first. */
  static async create(database: TestDatabase, nodeCount: number): Promise<HealingCluster> {
    await database.pool.query("TRUNCATE chunk, extent, lease, event, repair, cluster, gateway RESTART IDENTITY CASCADE");
    await database.pool.query("INSERT INTO cluster (id) VALUES (gen_random_uuid())");
    return new HealingCluster(database, nodeCount);
  }

  private constructor(database: TestDatabase, nodeCount: number) {
    const { all, membership } = createTestNodes(nodeCount);
    this.nodes = all;
    this.#database = database;
    this.#membership = membership;
  }

  node(id: number): TestNode {
    return this.nodes[id - 1]!;
  }

  /** What the controller knows of a node; one that goes down is out of reach, too. */
  change(id: number, changes: Partial<NodeSnapshot>): void {
    const node = this.node(id);
    node.snapshot = { ...node.snapshot, healthChangedAt: new Date(), ...changes };
    node.fault = node.snapshot.health === "down" ? "unreachable" : "none";
  }

  /** A chunk on these nodes, with a row that says so, an hour old. */
  async keep(replicas: readonly number[], { bytes = randomBytes(1_000), ageMs = 3_600_000 } = {}): Promise<ChunkId> {
    const id = chunkIdOf(bytes);
    for (const nodeId of replicas) await this.node(nodeId).store.put(id, bytes);
    await this.#database.pool.query(
      "INSERT INTO chunk (id, length, replicas, created_at) VALUES ($1, $2, $3, now() - $4::bigint * interval '1 ms')",
      [chunkIdToBytes(id), bytes.length, replicas, ageMs],
    );
    return id;
  }

  async keepMany(count: number, replicas: readonly number[]): Promise<ChunkId[]> {
    return await Promise.all(Array.from({ length: count }, () => this.keep(replicas)));
  }

  async replicas(id: ChunkId): Promise<number[]> {
    const { rows } = await this.#database.pool.query<{ replicas: number[] }>("SELECT replicas FROM chunk WHERE id = $1", [
      chunkIdToBytes(id),
    ]);
    return rows[0]!.replicas;
  }

  /** Whole copies on nodes within reach that the rows name, by chunk; those that only the row believes in do not count. */
  async verifiedCopies(): Promise<Map<ChunkId, number>> {
    const { rows } = await this.#database.pool.query<{ id: Buffer; replicas: number[] }>("SELECT id, replicas FROM chunk");
    const isWhole = (id: ChunkId, node: TestNode): boolean => {
      const bytes = node.store.chunks.get(id);
      return bytes !== undefined && chunkIdOf(bytes) === id && node.snapshot.health !== "down";
    };
    return new Map(
      rows.map(({ id, replicas }) => {
        const chunkId = chunkIdFromBytes(id);
        return [chunkId, replicas.filter((nodeId) => isWhole(chunkId, this.node(nodeId))).length];
      }),
    );
  }

  async fewestVerified(): Promise<number> {
    return Math.min(...(await this.verifiedCopies()).values());
  }

  /** Whoever is first leads. */
  async lead(name = "controller", leaseMs = LONG_MS): Promise<Leadership> {
    const leadership = createLeadership({ pool: this.#database.pool, holderName: name, leaseMs, onError: () => undefined });
    this.#running.push(leadership);
    await leadership.start();
    return leadership;
  }

  /** A controller's healing, leading unless `leadership` is another's. Nothing is awaited, unless told otherwise. */
  async heal(options: Partial<HealingOptions> = {}): Promise<{ healing: Healing; leadership: Leadership }> {
    const leadership = options.leadership ?? (await this.lead());
    const healing = createHealing({
      pool: this.#database.pool,
      leadership,
      membership: this.#membership,
      clients: { commandsFor: (node) => this.#commandsOf(node) },
      logger: createLogger("test", "silent"),
      repairAfterMs: 0,
      intervalMs: INTERVAL_MS,
      ...options,
    });
    this.#running.unshift(healing);
    await healing.start();
    return { healing, leadership };
  }

  async stop(): Promise<void> {
    for (const part of this.#running.splice(0)) await part.stop();
  }

  async repairs(): Promise<RepairReport[]> {
    return await listRepairs(this.#database.pool);
  }

  /** Waits for the latest repair to be in this state. */
  async untilRepairIs(state: RepairReport["state"]): Promise<RepairReport> {
    return await vi.waitFor(
      async () => {
        const [latest] = await this.repairs();
        if (latest?.state !== state) throw new Error(`the repair is ${latest?.state ?? "not there"}, and not ${state}`);
        return latest;
      },
      { timeout: 10_000, interval: 10 },
    );
  }

  async messages(): Promise<string[]> {
    return await toldEvents(this.#database.pool);
  }

  async query(text: string, values: unknown[] = []): Promise<void> {
    await this.#database.pool.query(text, values);
  }

  #commandsOf({ id: nodeId }: NodeAddress): Commands {
    const { client, store } = this.node(nodeId);
    return {
      replicate: async (id, sources, epoch, signal) => {
        const replication = { id, from: sources.map((source) => source.id), to: nodeId };
        this.replications.push(replication);
        await this.beforeReplication(replication);
        signal?.throwIfAborted();
        this.#obey(nodeId, epoch);
        return await this.node(nodeId).replicate(
          id,
          replication.from.map((from) => this.node(from)),
        );
      },
      verify: async (id) => ({ length: (await client.get(id)).length }),
      trash: async (ids, epoch) => {
        this.#obey(nodeId, epoch);
        for (const id of ids) {
          await this.beforeTrashing(id);
          this.trashed.push({ id, from: nodeId });
        }
        return await store.trash(ids);
      },
      restore: async (ids, epoch) => {
        this.#obey(nodeId, epoch);
        return await store.restore(ids);
      },
    };
  }

  #obey(nodeId: number, epoch: number): void {
    const highest = this.#epochs.get(nodeId) ?? 0;
    if (epoch < highest) throw new ChunkStoreError("store.stale_epoch", "A newer leader commands this node.");
    this.#epochs.set(nodeId, epoch);
  }
}
