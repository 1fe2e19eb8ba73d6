export { checkPlacement } from "./check.ts";
export { choosePlacement, type Placement, type PlacementReasons, type Refusal, type RefusalReason } from "./choose.ts";
