export { checkPlacement } from "./check.ts";
export {
  choosePlacement,
  type Placement,
  type PlacementReasons,
  type Refusal,
  placerFor,
  type RefusalReason,
  refusalOf,
} from "./choose.ts";
export { crowdAround, diskOf, type Domains, domainsOf } from "./domains.ts";
export { createPlacer, type Placer } from "./placer.ts";
export { type PlacementPolicy, placementPolicies } from "./policy.ts";
