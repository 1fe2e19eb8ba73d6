import type { Clock } from "../kernel/index.ts";
import type { NodeSnapshot } from "../membership/index.ts";
import type { ReplicatedChunk, ReplicationTail } from "./replicator.ts";

export interface ReplicationPlan {
  /** Who gets the copies, in this order. */
  preferred: readonly NodeSnapshot[];
  /** Who is asked besides, only while the quorum is out of reach without them. */
  avoided: readonly NodeSnapshot[];
  copies: number;
  quorum: number;
  /** How long nothing may happen before the silent nodes are passed over; and the least of it once the quorum has answered. */
  patienceMs: number;
  tailPatienceMs: number;
  /** Resolves when the node holds the chunk durably. */
  put: (node: NodeSnapshot) => Promise<unknown>;
  onAcknowledged: (node: NodeSnapshot) => void;
  /** Without an error, the node was passed over. */
  onFailed: (node: NodeSnapshot, error?: unknown) => void;
  clock: Clock;
}

/** A node is slow compared with the others: those who need ten seconds themselves give it more than three. */
const PATIENCE_FACTOR = 4;

export interface NodeFailure {
  node: NodeSnapshot;
  error: unknown;
}

/** Without a chunk, the quorum was missed, and every node that was asked has answered. */
export interface ReplicationOutcome {
  chunk?: ReplicatedChunk;
  acknowledged: readonly NodeSnapshot[];
  failures: readonly NodeFailure[];
}

/** One write under way. Its outcome never rejects. */
export class ReplicatedWrite {
  readonly #plan: ReplicationPlan;
  readonly #queue: NodeSnapshot[];
  readonly #lastResort: NodeSnapshot[];
  readonly #acknowledged: NodeSnapshot[] = [];
  readonly #failures: NodeFailure[] = [];
  /** Asked, not answered; those that were passed over may still answer, but nobody counts on it. */
  readonly #hopeful = new Set<NodeSnapshot>();
  readonly #passedOver = new Set<NodeSnapshot>();
  readonly #outcome = Promise.withResolvers<ReplicationOutcome>();
  readonly #tail = Promise.withResolvers<ReplicationTail>();
  /** Acknowledgements when the quorum was reached. */
  #reported: number | undefined;

  readonly #startedAt: number;
  #patienceMs: number;
  #patience: NodeJS.Timeout | undefined;

  constructor(plan: ReplicationPlan) {
    this.#plan = plan;
    this.#queue = [...plan.preferred];
    this.#lastResort = [...plan.avoided];
    this.#startedAt = plan.clock.monotonicMs();
    this.#patienceMs = plan.patienceMs;
    this.#proceed();
  }

  get outcome(): Promise<ReplicationOutcome> {
    return this.#outcome.promise;
  }

  /** Called whenever something has happened. */
  #proceed(): void {
    clearTimeout(this.#patience);
    while (this.#promised < this.#plan.copies) {
      const node = this.#next();
      if (node === undefined) break;
      void this.#ask(node);
    }
    if (this.#reported === undefined && this.#acknowledged.length >= this.#plan.quorum) this.#report();
    if (this.#hopeful.size > 0) this.#patience = setTimeout(() => this.#losePatience(), this.#patienceMs);
    else this.#end();
  }

  get #promised(): number {
    return this.#acknowledged.length + this.#hopeful.size;
  }

  #next(): NodeSnapshot | undefined {
    return this.#queue.shift() ?? (this.#promised < this.#plan.quorum ? this.#lastResort.shift() : undefined);
  }

  async #ask(node: NodeSnapshot): Promise<void> {
    this.#hopeful.add(node);
    try {
      await this.#plan.put(node);
      this.#acknowledged.push(node);
      if (this.#hopeful.has(node)) this.#plan.onAcknowledged(node);
    } catch (error) {
      this.#failures.push({ node, error });
      if (this.#hopeful.has(node)) this.#plan.onFailed(node, error);
    }
    this.#hopeful.delete(node);
    this.#passedOver.delete(node);
    this.#proceed();
  }

  /** As long as the quorum hangs on the silent nodes and nobody could stand in for them, there is nothing but to wait. */
  #losePatience(): void {
    if (this.#reported !== undefined || this.#queue.length > 0) {
      for (const node of this.#hopeful) {
        this.#passedOver.add(node);
        this.#plan.onFailed(node);
      }
      this.#hopeful.clear();
    }
    this.#proceed();
  }

  #report(): void {
    this.#reported = this.#acknowledged.length;
    const tookMs = this.#plan.clock.monotonicMs() - this.#startedAt;
    this.#patienceMs = Math.max(this.#plan.tailPatienceMs, tookMs * PATIENCE_FACTOR);
    const chunk = { nodeIds: idsOf(this.#acknowledged), copiesExpected: this.#promised, tail: this.#tail.promise };
    this.#outcome.resolve({ chunk, acknowledged: this.#acknowledged, failures: this.#failures });
  }

  #end(): void {
    if (this.#reported !== undefined) {
      this.#tail.resolve({ nodeIds: idsOf(this.#acknowledged.slice(this.#reported)), bytesInUse: this.#passedOver.size > 0 });
    } else if (this.#passedOver.size === 0) {
      this.#outcome.resolve({ acknowledged: this.#acknowledged, failures: this.#failures });
    }
  }
}

function idsOf(nodes: readonly NodeSnapshot[]): number[] {
  return nodes.map(({ id }) => id);
}
