export { type Operator, pauseHealing, resumeHealing, setHealingRate } from "./control.ts";
export type { CopyEngine, CopyOutcome } from "./copy-engine.ts";
export { createHealing, type Healing, type HealingOptions } from "./healing.ts";
export { createPace, type Pace } from "./pace.ts";
export { type ChunkFacts, type ChunkPlan, type CopyDrop, type CopyTask, type HealingTerms, planChunk, type Risk, RISKS } from "./plan.ts";
export { listRepairs, type RepairReport } from "./repair-record.ts";
export { dropCopies, type SurplusOptions } from "./surplus.ts";
export type { HealingView } from "./view.ts";
export { type CopyRecorder, createCopyRecorder } from "./record-copies.ts";
