/**
 * Makes copies: the target fetches the chunk from a source that has it whole, keeps it durably and reads it back; only then
 * is the new place written down, by whoever leads, and only if the chunk is still wanted.
 *
 * Repair and rebalance share one engine, so that together they stay within one pace and one measure of work for each node.
 * A copy may be made twice: the target then finds that it has it.
 */
import { ChunkStoreError } from "../chunk-store/index.ts";
import { forgetBadCopy } from "../download/index.ts";
import { type Clock, limits, type Logger } from "../kernel/index.ts";
import { type Leadership, LeadershipError } from "../leadership/index.ts";
import type { BadSource, NodeAddress, NodeCommands, Replicated } from "../node-client/index.ts";
import type { Pace } from "./pace.ts";
import type { CopyTask } from "./plan.ts";
import { createCopyRecorder } from "./record-copies.ts";
import { CopySlots } from "./slots.ts";

export type CopyOutcome =
  | { state: "copied"; bytes: number }
  /** The chunk is on its way out, or its copies are just being given up; its row did not change. */
  | { state: "unwanted" }
  /** None of the sources has it whole, or none answers. */
  | { state: "no-source" }
  /** Full, failing, out of reach: another target may do. */
  | { state: "refused"; reason: string }
  /** Called off, or another controller leads. */
  | { state: "cancelled" }
  /** The database, or a bug: there is no point in going on with other chunks. */
  | { state: "failed"; error: unknown };

export interface CopyEngine {
  /**
   * Never rejects. Waits for its turn, which comes at once where one copy is left. `signal` calls it off while it waits; a copy
   * that has begun is finished and written down, or its bytes would lie on the target without anybody knowing.
   */
  run(task: CopyTask, signal: AbortSignal): Promise<CopyOutcome>;
  /** Cuts off what has begun, too: this process ends. */
  stop(): void;
  /** Bytes a second, over the last seconds. */
  rate(): number;
}

export interface CopyEngineOptions {
  leadership: Pick<Leadership, "requireEpoch" | "fenced">;
  clients: { commandsFor(node: NodeAddress): Pick<NodeCommands, "replicate"> };
  pace: Pace;
  clock: Clock;
  logger: Logger;
}

export function createCopyEngine({ leadership, clients, pace, clock, logger }: CopyEngineOptions): CopyEngine {
  const slots = new CopySlots();
  const stopping = new AbortController();
  const recorder = createCopyRecorder(leadership.fenced, { clock, gatherMs: limits.healingGatherMs });

  /** What a node itself disowned counts no longer. One that merely did not answer keeps its copy. */
  const forget = async ({ chunkId, from }: CopyTask, bad: readonly BadSource[]): Promise<void> => {
    for (const { nodeId, reason } of bad) {
      const node = from.find(({ id }) => id === nodeId);
      if (node === undefined || reason === "store.unreachable") continue;
      await leadership
        .fenced((tx) => forgetBadCopy(tx, chunkId, node, reason))
        .catch((error: unknown) =>
          logger.warn({ err: error, chunk: chunkId, nodeId }, "a bad copy could not be forgotten; its next reader will"),
        );
    }
  };

  /** The slot is free again as soon as the bytes are there: writing them down takes nothing from the nodes. */
  const make = async (task: CopyTask, signal: AbortSignal): Promise<Replicated & { askedAtMs: number }> => {
    const slot = await slots.take(task, signal);
    try {
      const askedAtMs = clock.monotonicMs();
      const commands = clients.commandsFor(task.to);
      return { askedAtMs, ...(await commands.replicate(task.chunkId, slot.from, leadership.requireEpoch(), stopping.signal)) };
    } finally {
      slot.release();
    }
  };

  const copy = async (task: CopyTask, signal: AbortSignal): Promise<CopyOutcome> => {
    const { askedAtMs, length, bad } = await make(task, signal);
    pace.copied(length);
    await forget(task, bad);
    if (length !== task.length) return { state: "refused", reason: `${task.to.name} kept ${length} bytes of ${task.length}.` };
    if (!(await recorder.record(task.chunkId, task.to.id, askedAtMs))) return { state: "unwanted" };
    return { state: "copied", bytes: length };
  };

  const outcomeOf = async (task: CopyTask, error: unknown, signal: AbortSignal): Promise<CopyOutcome> => {
    if (signal.aborted || stopping.signal.aborted || error instanceof LeadershipError) return { state: "cancelled" };
    if (!(error instanceof ChunkStoreError)) return { state: "failed", error };
    if (error.code === "store.stale_epoch") return { state: "cancelled" };
    if (error.code !== "chunk.no_source") return { state: "refused", reason: error.message };
    await forget(task, (error.details.bad ?? []) as BadSource[]);
    return { state: "no-source" };
  };

  return {
    rate: () => pace.rate(),
    stop: () => stopping.abort(),
    async run(task, signal) {
      if (task.from.length === 0) return { state: "no-source" };
      try {
        await pace.pass(task.length, { urgent: task.copiesLeft <= 1, signal });
        return await copy(task, signal);
      } catch (error) {
        return await outcomeOf(task, error, signal);
      }
    },
  };
}
