export { SimulationError, type SimulationErrorCode } from "./errors.ts";
export {
  type ActiveFault,
  faultInWords,
  type FaultKind,
  isProcessFault,
  type NodeFault,
  nodeFault,
  type ProcessFault,
  type SimulatedFault,
  simulatedFault,
} from "./fault.ts";
