export { type ChunkFacts, type ChunkPlan, type CopyDrop, type CopyTask, type HealingTerms, planChunk, type Risk, RISKS } from "./plan.ts";
