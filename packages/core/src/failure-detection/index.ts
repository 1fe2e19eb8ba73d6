export { createFailureDetector, type FailureDetector } from "./detector.ts";
export { type DetectionLimits, detectionLimits, type HealthTransition } from "./plan.ts";
