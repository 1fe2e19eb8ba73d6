export { createGathering, type Gathering, type GatheringOptions } from "./gathering.ts";
