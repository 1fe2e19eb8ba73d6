export { type AppliedChange, applyChange, type ApplyOptions } from "./apply.ts";
export {
  type ClusterSettings,
  type MoveScope,
  type TopologyChange,
  type TopologyView,
  WEIGHT_MAX,
  WEIGHT_MIN,
} from "./change.ts";
export { cancelRebalance, type ControlOptions, pauseRebalance, resumeRebalance, throttleRebalance } from "./control.ts";
export { TopologyError, type TopologyErrorCode } from "./errors.ts";
export { type ChunkMoves, createMovePlanner, type Move, type MovePlanner } from "./plan.ts";
export { type ChangePreview, previewChange, type PreviewOptions } from "./preview.ts";
export { listRebalances, type RebalanceReport } from "./rebalance-row.ts";
export { createRebalancer, type Rebalancer, type RebalancerOptions } from "./rebalancer.ts";
export { createSettingsCache, type SettingsCache, type SettingsCacheOptions } from "./settings-cache.ts";
export { readSettings, type SettingDefaults } from "./view.ts";
