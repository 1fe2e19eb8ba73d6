export { Pace } from "./pace.ts";
export { createScrub, type Scrub, type ScrubOptions, type ScrubStatus } from "./scrub.ts";
