export { HISTORY_SPANS, type HistoryPoint, type HistorySpan, readCapacityHistory } from "./history.ts";
export { recordSamples, removeOldSamples, thinSamples } from "./samples.ts";
