export { createGarbageCollector, type GarbageCollector, type GarbageCollectorOptions, garbageIntervalMs } from "./collector.ts";
export { GarbageError, type GarbageErrorCode } from "./errors.ts";
export { countLiveChunks } from "./live-chunks.ts";
export { isWithinReach, type KnownNode, readKnownNodes } from "./nodes.ts";
export { type DatabaseAgeOptions, markDatabaseAge } from "./older-database.ts";
export { type Amount, type BrakeLimits, brakeLimits, isCovered, isTooMuch } from "./plan-brakes.ts";
export {
  approveGarbageRun,
  brake,
  type BrakeCause,
  findApproval,
  type GarbageRun,
  type GarbageTotals,
  listBraked,
  settleBrake,
} from "./runs.ts";
