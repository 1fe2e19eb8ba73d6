import type { NodeHealth, NodeIntent } from "@holdfast/db";

/**
 * How safe the data is, in one word:
 * - `ok`: every chunk has the wanted copies, and every node is up.
 * - `at-risk`: nothing is close to lost, but less is left than was wanted.
 * - `degraded`: some chunk has one copy left.
 * - `unreadable`: some chunk has no copy within reach.
 * - `unknown`: we cannot tell, and do not guess.
 */
export type DataState = "ok" | "at-risk" | "degraded" | "unreadable" | "unknown";

export interface NodeReport {
  id: number;
  name: string;
  health: NodeHealth;
  healthReason: string;
  healthChangedAt: Date;
  intent: NodeIntent;
  zone: string;
  host: string;
  port: number;
  mac: string;
  version: string;
  store: string;
  writable: boolean;
  capacityBytes: number;
  freeBytes: number;
  /** Bytes of its chunks. */
  usedBytes: number;
  chunkCount: number;
  lastSeenAt: Date | null;
  registeredAt: Date;
}

export interface ChunkReport {
  total: number;
  /** How many chunks have so many copies on nodes within reach. From "0" to the wanted number every key is there. */
  byCopies: Record<string, number>;
  /** When they were counted; the nodes' health that they are weighed with is newer. */
  countedAt: Date;
}

export interface ClusterReport {
  state: DataState;
  /** One to three plain sentences. */
  why: string;
  /** When the facts below were read. Older than a few seconds only while the database is away. */
  asOf: Date;
  /** Copies each chunk should have. */
  replicas: number;
  nodes: NodeReport[];
  /** Null while nothing could be counted since this process started. */
  chunks: ChunkReport | null;
  repairs: never[];
  rebalances: never[];
}
