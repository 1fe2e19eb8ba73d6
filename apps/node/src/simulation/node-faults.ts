/**
 * The faults that a node simulates on itself, so that people can see what the cluster does about them.
 *
 * At most one of each kind is on. Each ends by itself, when it is told to, and when the process stops. Nothing here decides
 * whether a fault is safe: the controller did, for only it knows what other copies there are.
 */
import { type ActiveFault, type NodeFault, SimulationError } from "@holdfast/core/fault-simulation";
import { type Clock, type Logger, SECOND_MS, systemClock } from "@holdfast/core/kernel";
import type { ChunkId } from "@holdfast/core/chunking";
import { damageFiles } from "./damage.ts";
import { Pace } from "./pace.ts";

export interface NodeFaultsOptions {
  /** Where the file of a chunk is. */
  chunkPath(id: ChunkId): string;
  logger: Logger;
  clock?: Clock;
}

interface Running {
  fault: NodeFault;
  until: Date;
  end(): Promise<void>;
}

export class NodeFaults {
  readonly #options: NodeFaultsOptions;
  readonly #running = new Map<NodeFault["kind"], Running>();
  readonly #watchers: (() => void)[] = [];
  #pace: Pace | undefined;
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(options: NodeFaultsOptions) {
    this.#options = options;
  }

  /** Slows whatever passes it; undefined while nothing is slow. */
  get pace(): Pace | undefined {
    return this.#pace;
  }

  has(kind: NodeFault["kind"]): boolean {
    return this.#running.has(kind);
  }

  /** `cut` is called whenever a partition begins. */
  onPartition(cut: () => void): void {
    this.#watchers.push(cut);
  }

  active(): ActiveFault[] {
    return [...this.#running.values()].map(({ fault, until }) => ({
      kind: fault.kind,
      until,
      ...(fault.kind === "corrupt" && { ids: fault.ids }),
    }));
  }

  /** Takes the place of a fault of the same kind. Rejects with `simulation.failed` when it cannot be had; then nothing began. */
  begin(fault: NodeFault): Promise<void> {
    const turn = this.#lastTurn.then(() => this.#begin(fault));
    this.#lastTurn = Promise.allSettled([turn]);
    return turn;
  }

  /** Ends whatever is on. May be called twice. */
  async recover(): Promise<void> {
    await Promise.all([...this.#running.values()].map((running) => running.end()));
  }

  async #begin(fault: NodeFault): Promise<void> {
    await this.#running.get(fault.kind)?.end();
    const undo = await this.#effect(fault);
    const { clock = systemClock, logger } = this.#options;
    const durationMs = fault.seconds * SECOND_MS;
    const end = async (): Promise<void> => {
      if (!this.#running.delete(fault.kind)) return;
      clearTimeout(timer);
      await undo();
      logger.warn({ fault: fault.kind }, "the simulated fault has ended");
    };
    const timer = setTimeout(() => void end().catch((error: unknown) => logger.error({ err: error }, "a fault did not end")), durationMs);
    const running: Running = { fault, until: new Date(clock.now().getTime() + durationMs), end };
    this.#running.set(fault.kind, running);
    if (fault.kind === "partition") this.#watchers.forEach((cut) => cut());
    logger.warn({ fault }, "a fault is simulated");
  }

  /** Begins what has to be done, and returns how it is undone. What is only asked for (`has`) needs nothing. */
  async #effect(fault: NodeFault): Promise<() => Promise<void>> {
    switch (fault.kind) {
      case "slow":
        return this.#slowDown(fault);
      case "corrupt":
        return await this.#damage(fault.ids);
      case "partition":
      case "disk-full":
        return async () => undefined;
    }
  }

  #slowDown(fault: NodeFault & { kind: "slow" }): () => Promise<void> {
    const ended = new AbortController();
    const pace = new Pace(fault, ended.signal);
    this.#pace = pace;
    return async () => {
      if (this.#pace === pace) this.#pace = undefined;
      ended.abort();
    };
  }

  async #damage(ids: readonly ChunkId[]): Promise<() => Promise<void>> {
    try {
      return await damageFiles(ids.map((id) => this.#options.chunkPath(id)));
    } catch (cause) {
      throw new SimulationError("simulation.failed", "One of these chunks is not here any more. Nothing was damaged.", {}, { cause });
    }
  }
}
