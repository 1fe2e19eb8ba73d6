/** Nodes in this process, rows in a real database, and a rebalancer between the two that goes a step when it is told to. */
import { randomBytes } from "node:crypto";
import type { TestDatabase } from "@holdfast/db/testing";
import { type ChunkId, chunkIdFromBytes, chunkIdOf, chunkIdToBytes } from "../../chunking/index.ts";
import { createHealing, type HealingOptions } from "../../healing/index.ts";
import type { SafemodeReader } from "../../safemode/index.ts";
import { createLogger, GiB } from "../../kernel/index.ts";
import { createLeadership, type Leadership } from "../../leadership/index.ts";
import { type NodeSnapshot, readNodes } from "../../membership/index.ts";
import type { NodeAddress } from "../../node-client/index.ts";
import { choosePlacement, type PlacementPolicy } from "../../placement/index.ts";
import { createTestNodes, type TestNode, toldEvents } from "../../testing/index.ts";
import {
  applyChange,
  type AppliedChange,
  type ChangePreview,
  createRebalancer,
  listRebalances,
  previewChange,
  type RebalanceReport,
  type TopologyChange,
} from "../index.ts";

const LONG_MS = 600_000;
const NODES_MAX = 8;
const DEFAULTS = { replicas: 3, writeQuorum: 2 };

export interface Controller {
  leadership: Leadership;
  /** One pass of the rebalancer, with the nodes as they are on record now. */
  step(): Promise<void>;
  stop(): Promise<void>;
}

export interface ControllerChanges {
  safemode?: SafemodeReader;
  settleMs?: number;
}

export class TopologyCluster {
  readonly nodes: TestNode[] = [];
  readonly #strangers = [...createTestNodes(NODES_MAX).all];
  readonly copied: { id: ChunkId; to: number }[] = [];
  /** Awaited before a node fetches a copy. */
  beforeCopy: (copy: { id: ChunkId; to: number; count: number }) => void | Promise<void> = () => undefined;
  /** Awaited when a node was told to put copies into its trash, before it does. */
  beforeTrash: (copy: { id: ChunkId; from: number }) => void | Promise<void> = () => undefined;
  readonly #database: TestDatabase;
  readonly #controllers: Controller[] = [];
  readonly #down = new Set<number>();

  /** Empties the database first. */
  static async create(database: TestDatabase, nodeCount: number): Promise<TopologyCluster> {
    await database.pool.query("TRUNCATE chunk, extent, lease, event, repair, rebalance, cluster, node RESTART IDENTITY CASCADE");
    await database.pool.query("INSERT INTO cluster (id) VALUES (gen_random_uuid())");
    const cluster = new TopologyCluster(database);
    for (let number = 0; number < nodeCount; number++) await cluster.join();
    return cluster;
  }

  private constructor(database: TestDatabase) {
    this.#database = database;
  }

  async join(zone = "default"): Promise<TestNode> {
    const node = this.#strangers.shift()!;
    this.nodes.push(node);
    await this.query(
      `INSERT INTO node (identity, name, host, port, boot_id, health, zone, capacity_bytes, free_bytes)
       VALUES (gen_random_uuid(), $1, '127.0.0.1', $2, gen_random_uuid(), 'up', $3, $4, $4)`,
      [node.snapshot.name, node.snapshot.port, zone, 100 * GiB],
    );
    return node;
  }

  node(id: number): TestNode {
    return this.nodes[id - 1]!;
  }

  /** One that goes down is out of reach, too. */
  async setHealth(id: number, health: NodeSnapshot["health"]): Promise<void> {
    this.node(id).fault = health === "down" ? "unreachable" : "none";
    if (health === "down") this.#down.add(id);
    else this.#down.delete(id);
    await this.query("UPDATE node SET health = $2::node_health, health_changed_at = now() WHERE id = $1", [id, health]);
  }

  /** A chunk where it belongs, or on these nodes; an hour old. */
  async keep(replicas?: readonly number[], bytes: Buffer = randomBytes(1_000)): Promise<ChunkId> {
    const id = chunkIdOf(bytes);
    const homes = replicas ?? (await this.homes(id));
    for (const nodeId of homes) await this.node(nodeId).store.put(id, bytes);
    await this.query("INSERT INTO chunk (id, length, replicas, created_at) VALUES ($1, $2, $3, now() - interval '1 h')", [
      chunkIdToBytes(id),
      bytes.length,
      homes,
    ]);
    return id;
  }

  async keepMany(count: number, replicas?: readonly number[]): Promise<ChunkId[]> {
    const ids: ChunkId[] = [];
    for (let number = 0; number < count; number++) ids.push(await this.keep(replicas));
    return ids;
  }

  /** In ascending order. */
  async homes(id: ChunkId, policy?: PlacementPolicy): Promise<number[]> {
    const nodes = await readNodes(this.#database.pool);
    return choosePlacement(id, nodes, 3, policy)
      .nodes.map((node) => node.id)
      .toSorted((a, b) => a - b);
  }

  async rows(): Promise<Map<ChunkId, number[]>> {
    const { rows } = await this.#database.pool.query<{ id: Buffer; replicas: number[] }>(
      "SELECT id, replicas FROM chunk WHERE state = 'live' ORDER BY id",
    );
    return new Map(rows.map(({ id, replicas }) => [chunkIdFromBytes(id), replicas]));
  }

  async replicas(id: ChunkId): Promise<number[]> {
    return (await this.rows()).get(id)!;
  }

  /** Of the chunk that has fewest. */
  async fewestCopies(): Promise<number> {
    const copies = [...(await this.rows())].map(([id, replicas]) => replicas.filter((nodeId) => this.#holdsWhole(nodeId, id)).length);
    return Math.min(...copies);
  }

  /** Those that its row names, and that are whole on a node within reach. */
  async copiesOf(id: ChunkId): Promise<number> {
    const { rows } = await this.#database.pool.query<{ replicas: number[] }>("SELECT replicas FROM chunk WHERE id = $1", [
      chunkIdToBytes(id),
    ]);
    return rows[0]!.replicas.filter((nodeId) => this.#holdsWhole(nodeId, id)).length;
  }

  /** Chunks whose rows name the node. */
  async countOn(nodeId: number): Promise<number> {
    return [...(await this.rows()).values()].filter((replicas) => replicas.includes(nodeId)).length;
  }

  async preview(change: TopologyChange, sampleChunks?: number): Promise<ChangePreview> {
    return await previewChange(this.#database.pool, change, { ...DEFAULTS, now: new Date(), ...(sampleChunks && { sampleChunks }) });
  }

  async apply(change: TopologyChange, { leadership }: Controller): Promise<AppliedChange> {
    return await applyChange(change, { ...DEFAULTS, pool: this.#database.pool, leadership, now: new Date(), actorId: "ada" });
  }

  /** Takes over from whoever led before. */
  async controller({ safemode, settleMs = 0 }: ControllerChanges = {}): Promise<Controller> {
    await this.query("UPDATE lease SET expires_at = clock_timestamp()");
    const { pool } = this.#database;
    const leadership = createLeadership({ pool, holderName: "controller", leaseMs: LONG_MS, onError: () => undefined });
    await leadership.start();
    let nodes: readonly NodeSnapshot[] = [];
    const membership = { nodes: () => nodes, node: (id: number) => nodes.find((node) => node.id === id) };
    const clients = { commandsFor: (node: NodeAddress) => this.#commandsOf(node) };
    const logger = createLogger("test", "silent");
    const { engine } = createHealing({ pool, leadership, membership, clients, logger });
    const rebalancer = createRebalancer({
      ...DEFAULTS,
      pool,
      leadership,
      membership,
      clients,
      logger,
      engine,
      settleMs,
      ...(safemode && { safemode }),
    });
    const stopping = new AbortController();
    const controller = {
      leadership,
      step: async () => {
        nodes = await readNodes(pool);
        await rebalancer.step(stopping.signal);
      },
      stop: async () => {
        stopping.abort();
        await leadership.stop();
      },
    };
    this.#controllers.push(controller);
    return controller;
  }

  async stop(): Promise<void> {
    for (const controller of this.#controllers) await controller.stop();
  }

  /** Steps until the latest rebalance is in this state. */
  async stepUntil(state: RebalanceReport["state"], controller: Controller): Promise<RebalanceReport> {
    for (let step = 0; step < 20; step++) {
      await controller.step();
      const latest = await this.latest();
      if (latest.state === state) return latest;
    }
    throw new Error(`it is ${JSON.stringify(await this.latest())}`);
  }

  async latest(): Promise<RebalanceReport> {
    const reports = await listRebalances(this.#database.pool, 10);
    return reports.reduce((a, b) => (b.id > a.id ? b : a));
  }

  async messages(): Promise<string[]> {
    return await toldEvents(this.#database.pool);
  }

  async query(text: string, values: unknown[] = []): Promise<void> {
    await this.#database.pool.query(text, values);
  }

  #holdsWhole(nodeId: number, id: ChunkId): boolean {
    const bytes = this.node(nodeId).store.chunks.get(id);
    return bytes !== undefined && chunkIdOf(bytes) === id && !this.#down.has(nodeId);
  }

  #commandsOf({ id: to }: NodeAddress): ReturnType<HealingOptions["clients"]["commandsFor"]> {
    const { commands } = this.node(to);
    return {
      ...commands,
      trash: async (ids, epoch) => {
        for (const id of ids) await this.beforeTrash({ id, from: to });
        return await commands.trash(ids, epoch);
      },
      replicate: async (id, sources) => {
        await this.beforeCopy({ id, to, count: this.copied.length });
        const replicated = await this.node(to).replicate(
          id,
          sources.map((source) => this.node(source.id)),
        );
        this.copied.push({ id, to });
        return replicated;
      },
    };
  }
}
