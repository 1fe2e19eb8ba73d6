/** Faults that are done to a node's process from outside. At most one a node is on; each ends by itself, and with the supervisor. */
import { type ActiveFault, type ProcessFault, SimulationError, TimeBoxes } from "@holdfast/core/fault-simulation";
import { unreachable } from "@holdfast/core/kernel";
import type { ServiceProcess } from "./service-process.ts";

export interface ProcessFaultsOptions {
  /** Starts a second process on a copy of the node's disk; returns what undoes it. */
  clone: (node: ServiceProcess) => Promise<() => Promise<void>>;
  onError: (error: unknown) => void;
}

export class ProcessFaults {
  readonly #clone: ProcessFaultsOptions["clone"];
  readonly #running: TimeBoxes<ServiceProcess, ProcessFault>;
  readonly #beginning = new Set<ServiceProcess>();

  constructor({ clone, onError }: ProcessFaultsOptions) {
    this.#clone = clone;
    this.#running = new TimeBoxes({ onError });
  }

  /** Rejects with `simulation.conflict` while another is on, or while there is no process. */
  async begin(node: ServiceProcess, fault: ProcessFault): Promise<void> {
    if (this.#running.has(node) || this.#beginning.has(node) || node.pid === undefined) throw conflict(node);
    this.#beginning.add(node);
    try {
      this.#running.begin(node, fault, await this.#effect(node, fault));
    } finally {
      this.#beginning.delete(node);
    }
  }

  /** Nothing where nothing is on. */
  end(node: ServiceProcess): Promise<void> {
    return this.#running.end(node);
  }

  endAll(): Promise<void> {
    return this.#running.endAll();
  }

  active(): (ActiveFault & { node: ServiceProcess })[] {
    return this.#running.active().map(({ key: node, fault: { kind }, until }) => ({ node, kind, until }));
  }

  async #effect(node: ServiceProcess, { kind }: ProcessFault): Promise<() => Promise<void>> {
    switch (kind) {
      case "kill":
        await node.unplug();
        return async () => node.plugIn();
      case "pause": {
        const wake = node.pause();
        return async () => wake();
      }
      case "clone":
        return await this.#clone(node);
      default:
        return unreachable(kind);
    }
  }
}

function conflict({ name }: ServiceProcess): SimulationError {
  return new SimulationError("simulation.conflict", `${name} is under a simulated fault already, or is just starting. Recover it first.`);
}
