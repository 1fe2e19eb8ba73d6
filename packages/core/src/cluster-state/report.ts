import type { NodeHealth, NodeIntent } from "@holdfast/db";
import type { RepairReport } from "../healing/index.ts";
import type { RebalanceReport } from "../topology/index.ts";

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
  /** False when it is down, or silent for as long and too few would remain to call it so. */
  withinReach: boolean;
  /** Whether the leading controller heard it since it leads. */
  heard: boolean;
  intent: NodeIntent;
  /** When its maintenance ends by itself. */
  maintenanceUntil: Date | null;
  zone: string;
  host: string;
  port: number;
  /** Where its StorageService listens; 0 when it does not. */
  grpcPort: number;
  mac: string;
  version: string;
  store: string;
  writable: boolean;
  /** Why it takes no chunks, when it does not. */
  writeRefusal: string;
  /** Since its process started: operations the disk failed, and chunks found damaged. */
  diskErrors: number;
  corruptChunks: number;
  /** Typical durable write and verified read of the last minute; 0 when there was none. */
  writeLatencyMs: number;
  readLatencyMs: number;
  /** When its last full scrub pass ended, and how much of the present one is done, 0 to 1. */
  scrubbedAt: Date | null;
  scrubProgress: number;
  /** When what it holds was last compared, wholly, with what the chunk rows say. */
  inventoriedAt: Date | null;
  /** Multiplies the capacity when copies are placed. */
  weight: number;
  /** Nodes that say the same are on one disk. Empty when it is not known. */
  device: string;
  capacityBytes: number;
  freeBytes: number;
  /** Bytes of its chunks. */
  usedBytes: number;
  chunkCount: number;
  lastSeenAt: Date | null;
  registeredAt: Date;
}

/** The room of the whole cluster; a disk that several nodes share counts once. */
export interface CapacityReport {
  totalBytes: number;
  freeBytes: number;
  devices: number;
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
  /** By name, numbers in their order. */
  nodes: NodeReport[];
  /** Of the nodes within reach. */
  capacity: CapacityReport;
  /** What it means that copies are on too few disks; empty when they are not. No alarm. */
  sharedDisks: string;
  /** Null while nothing could be counted since this process started. */
  chunks: ChunkReport | null;
  /** What an operator wants of repair and rebalance. */
  healing: HealingOrders;
  /** Open ones first, then the latest that ended. */
  repairs: RepairReport[];
  rebalances: RebalanceReport[];
}

export interface HealingOrders {
  /** Only chunks with one copy left are copied. */
  paused: boolean;
  /** Null: users' latencies alone slow it down. */
  bytesPerSecondMax: number | null;
}
