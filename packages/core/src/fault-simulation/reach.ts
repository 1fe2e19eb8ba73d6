import { setTimeout as delay } from "node:timers/promises";
import type { ChunkStore } from "../chunk-store/index.ts";
import type { ChunkId } from "../chunking/index.ts";
import { SECOND_MS } from "../kernel/index.ts";
import type { ActiveFault, NodeFault } from "./fault.ts";

/** Whoever takes longer is not counted on. */
const PROBE_TIMEOUT_MS = 2 * SECOND_MS;

export interface NodeToAsk {
  id: number;
  name: string;
  host: string;
  port: number;
}

/** What is wanted of a node. */
export interface NodeControl {
  verify(id: ChunkId): Promise<unknown>;
  simulate(fault: NodeFault): Promise<void>;
  recover(): Promise<void>;
  /** What it simulates on itself; nothing when it does not simulate faults. */
  simulated(signal?: AbortSignal): Promise<ActiveFault[]>;
}

export interface NodeAccess {
  clientFor(node: NodeToAsk): Pick<ChunkStore, "stats">;
  commandsFor(node: NodeToAsk): NodeControl;
}

/** Nodes that answer now, and the copies on them that we damaged. */
export interface Reach {
  nodeIds: number[];
  damaged: { nodeId: number; id: ChunkId }[];
}

/**
 * Asks every node, for what the node table says is as old as a heartbeat: a node that was killed a moment ago is still "up"
 * there, and the next fault would be weighed as if it could be counted on.
 */
export async function probe(nodes: readonly NodeToAsk[], access: NodeAccess): Promise<Reach> {
  const answers = await Promise.all(nodes.map(async (node) => ({ node, faults: await faultsIfReachable(node, access) })));
  const reached = answers.filter(({ faults }) => faults !== undefined);
  return {
    nodeIds: reached.map(({ node }) => node.id),
    damaged: reached.flatMap(({ node, faults }) => faults!.flatMap(({ ids = [] }) => ids.map((id) => ({ nodeId: node.id, id })))),
  };
}

/** Undefined when it does not answer in time. A partition leaves this open, so it does not tell whether chunks can be had. */
export function faultsOf(node: NodeToAsk, access: NodeAccess): Promise<ActiveFault[] | undefined> {
  return inTime(access.commandsFor(node).simulated(AbortSignal.timeout(PROBE_TIMEOUT_MS)));
}

async function faultsIfReachable(node: NodeToAsk, access: NodeAccess): Promise<ActiveFault[] | undefined> {
  const [faults, stats] = await Promise.all([faultsOf(node, access), inTime(access.clientFor(node).stats())]);
  return stats && faults;
}

/** An error is no answer either. */
function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  return Promise.race([answer, delay(PROBE_TIMEOUT_MS, undefined)]).catch(() => undefined);
}
