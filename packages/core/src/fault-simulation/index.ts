export { SimulationError, type SimulationErrorCode } from "./errors.ts";
export {
  type ActiveFault,
  activeFault,
  faultInWords,
  type FaultKind,
  isProcessFault,
  type NodeFault,
  nodeFault,
  type ProcessFault,
  type SimulatedFault,
  simulatedFault,
} from "./fault.ts";
export { answerSupervisorRequest, connectSupervisor, type ProcessAddress, type ProcessChannel, type Supervisor } from "./supervisor.ts";
export { TimeBoxes, type TimeBoxesOptions } from "./time-boxes.ts";
export type { NodeAccess, NodeControl, NodeToAsk } from "./reach.ts";
export { createFaultSimulation, type FaultSimulation, type FaultSimulationOptions, type SimulationStatus } from "./simulation.ts";
