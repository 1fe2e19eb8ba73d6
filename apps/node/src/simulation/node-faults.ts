/**
 * The faults that a node simulates on itself, so that people can see what the cluster does about them.
 *
 * At most one of each kind is on. Each ends by itself, when it is told to, and when the process stops. Nothing here decides
 * whether a fault is safe: the controller did, for only it knows what other copies there are.
 */
import type { LocalChunkStore } from "@holdfast/core/chunk-store";
import type { ChunkId } from "@holdfast/core/chunking";
import { type ActiveFault, type NodeFault, SimulationError, TimeBoxes } from "@holdfast/core/fault-simulation";
import type { Logger } from "@holdfast/core/kernel";
import { damagePlaces } from "./damage.ts";
import { Pace } from "./pace.ts";

export interface NodeFaultsOptions {
  store: Pick<LocalChunkStore, "locate">;
  logger: Logger;
}

export class NodeFaults {
  readonly #options: NodeFaultsOptions;
  readonly #running: TimeBoxes<NodeFault["kind"], NodeFault>;
  readonly #watchers: (() => void)[] = [];
  #pace: Pace | undefined;
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(options: NodeFaultsOptions) {
    this.#options = options;
    this.#running = new TimeBoxes({
      onEnded: (fault) => options.logger.warn({ fault }, "the simulated fault has ended"),
      onError: (error) => options.logger.error({ err: error }, "a simulated fault did not end as it should"),
    });
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
    return this.#running
      .active()
      .map(({ key: kind, fault, until }) => ({ kind, until, ...(fault.kind === "corrupt" && { ids: fault.ids }) }));
  }

  /** Takes the place of a fault of the same kind. Rejects with `simulation.failed` when it cannot be had; then nothing began. */
  begin(fault: NodeFault): Promise<void> {
    const turn = this.#lastTurn.then(() => this.#begin(fault));
    this.#lastTurn = Promise.allSettled([turn]);
    return turn;
  }

  /** Ends whatever is on. May be called twice. */
  recover(): Promise<void> {
    return this.#running.endAll();
  }

  async #begin(fault: NodeFault): Promise<void> {
    await this.#running.end(fault.kind);
    const undo = await this.#effect(fault);
    this.#running.begin(fault.kind, fault, undo);
    if (fault.kind === "partition") this.#watchers.forEach((cut) => cut());
    this.#options.logger.warn({ fault }, "a fault is simulated");
  }

  /** Does what has to be done, and returns how it is undone. What others ask `has` for needs nothing. */
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
    this.#pace = new Pace(fault, ended.signal);
    return async () => {
      this.#pace = undefined;
      ended.abort();
    };
  }

  async #damage(ids: readonly ChunkId[]): Promise<() => Promise<void>> {
    try {
      const places = await Promise.all(ids.map((id) => this.#options.store.locate(id)));
      if (places.includes(undefined)) throw new Error("the store does not know one of them");
      return await damagePlaces(places.filter((place) => place !== undefined));
    } catch (cause) {
      throw new SimulationError("simulation.failed", "One of these chunks is not here any more. Nothing was damaged.", {}, { cause });
    }
  }
}
