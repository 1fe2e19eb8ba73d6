export { createFailureDetector, type FailureDetector } from "./detector.ts";
export { type DetectionLimits, detectionLimits, type HealthTransition, planHealth, type WatchedNode } from "./plan.ts";
