import type { NodeHealth, NodeIntent } from "@holdfast/db";

/** One storage node as a gateway or planner sees it at one moment. */
export interface NodeSnapshot {
  /** The node's number: what `Chunk.replicas` holds. */
  id: number;
  name: string;
  host: string;
  port: number;
  zone: string;
  health: NodeHealth;
  intent: NodeIntent;
  /** False when the node itself said it takes no more chunks (full, failing disk). */
  writable: boolean;
  capacityBytes: number;
  freeBytes: number;
  /** Multiplies the capacity when copies are placed. */
  weight: number;
  /** Nodes that say the same are on one disk, and share its space and its death. Empty when it is not known. */
  device: string;
  healthChangedAt: Date;
  /** When its maintenance ends by itself; null when it is in none, or in one without an end. */
  maintenanceUntil: Date | null;
}

/** Where the current nodes can be read without waiting. */
export interface Membership {
  nodes(): readonly NodeSnapshot[];
  node(id: number): NodeSnapshot | undefined;
}
