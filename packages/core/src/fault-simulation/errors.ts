import { DomainError } from "../kernel/index.ts";

export type SimulationErrorCode =
  /** HOLDFAST_SIMULATE_FAULTS is off. */
  | "simulation.off"
  /** There is no such fault, or one of its numbers is out of range. */
  | "simulation.invalid"
  /** It would touch the last good copy of some chunk; `details.chunks` says of how many. Nothing was done. */
  | "simulation.last_copy"
  /** It needs a supervisor that runs the node, and there is none. */
  | "simulation.only_embedded"
  /** The node is in no state for it, or under another fault already. */
  | "simulation.conflict"
  | "simulation.no_such_node"
  /** The node or the supervisor did not do what it was asked to; what it did ends by itself. */
  | "simulation.failed";

export class SimulationError extends DomainError<SimulationErrorCode> {}
