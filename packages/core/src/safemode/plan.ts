/**
 * Whether enough of the cluster has been heard to decide anything about it.
 *
 * A controller that has just started sees nodes appear one by one. Whatever it decided in that time, it would decide about
 * a cluster that does not exist: copies to make of chunks whose nodes are on their way, garbage by a count that is wrong.
 *
 * Pure. The watcher asks it until the answer is yes.
 */
export interface SafemodeFacts {
  chunks: number;
  /** Of them, those with a copy on a node that was heard since the start. */
  chunksHeard: number;
  nodes: readonly { name: string; isHeard: boolean }[];
  /** For how long no further node was heard. */
  stableMs: number;
}

export interface SafemodeTerms {
  /** Share of the chunks, 0 to 1. */
  heardShare: number;
  stableMs: number;
}

/** Undefined when it may end; otherwise why not, as a sentence. */
export function whyStillSafe({ chunks, chunksHeard, nodes, stableMs }: SafemodeFacts, terms: SafemodeTerms): string | undefined {
  if (chunks === 0) return undefined;
  const silent = nodes.filter(({ isHeard }) => !isHeard).map(({ name }) => name);
  if (chunksHeard < terms.heardShare * chunks) {
    const waitingFor =
      silent.length === 0
        ? "their nodes are not known any more"
        : `${silent.join(", ")} ${silent.length === 1 ? "is" : "are"} still silent`;
    return `Since the controller started, ${chunks - chunksHeard} of ${chunks} chunks have no copy on a node that was heard: ${waitingFor}. Nothing is repaired, moved or cleaned up until then.`;
  }
  if (stableMs < terms.stableMs) return "The controller has just started and nodes are still reporting. It decides in a moment.";
  return undefined;
}
