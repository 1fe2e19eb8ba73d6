import { ChunkStoreError } from "../chunk-store/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import type { Refusal } from "../placement/index.ts";
import { ReplicationError } from "./errors.ts";
import type { NodeFailure } from "./replicated-write.ts";

interface MissedQuorum {
  acknowledged: readonly NodeSnapshot[];
  failures: readonly NodeFailure[];
  refused: readonly Refusal[];
  nodes: readonly NodeSnapshot[];
  writeQuorum: number;
}

interface AwayNode {
  name: string;
  reason: string;
}

const FULL = "is full";

const REFUSALS: Record<Refusal["reason"], string> = {
  down: "is down",
  suspect: "has not been heard of for a while",
  draining: "is being emptied",
  maintenance: "is in maintenance",
  removed: "was removed",
  "not-writable": FULL,
};

/** Why a chunk found too few homes, in words that tell what would help. */
export function tooFewNodes({ acknowledged, failures, refused, nodes, writeQuorum }: MissedQuorum): ReplicationError {
  const away: AwayNode[] = [
    ...refused.filter(({ reason }) => reason !== "removed").map(({ node, reason }) => ({ name: node.name, reason: REFUSALS[reason] })),
    ...failures.map(({ node, error }) => ({ name: node.name, reason: failureOf(error) })),
  ];
  const full = away.filter(({ reason }) => reason === FULL);
  const facts = { away, copiesNeeded: writeQuorum, nodesAvailable: acknowledged.length };
  if (full.length > 0 && acknowledged.length + full.length >= writeQuorum) {
    return new ReplicationError(
      "cluster.full",
      `The storage is full: ${inWords(full)}. Free space on them or add a node; the upload then continues where it stopped.`,
      facts,
    );
  }
  const known =
    nodes.length === 0
      ? "No storage node is known yet."
      : `Only ${acknowledged.length} of ${nodes.length} storage nodes can take data: ${inWords(away)}.`;
  return new ReplicationError(
    "cluster.too_few_nodes",
    `${known} Every file is kept on at least ${writeQuorum} nodes, so nothing can be stored right now. Start the missing nodes; the upload then continues where it stopped.`,
    facts,
  );
}

function failureOf(error: unknown): string {
  const code = error instanceof ChunkStoreError ? error.code : undefined;
  switch (code) {
    case "store.full":
      return FULL;
    case "store.failed":
      return "has a failing disk";
    case "store.unauthenticated":
      return "has another cluster key";
    case "store.unreachable":
      return "does not answer";
    default:
      return "refused the data";
  }
}

function inWords(away: readonly AwayNode[]): string {
  return away.map(({ name, reason }) => `${name} ${reason}`).join(", ");
}
