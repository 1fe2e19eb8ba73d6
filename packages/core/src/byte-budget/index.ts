export { ByteBudget, type Release } from "./byte-budget.ts";
export { type ChunkBuffer, ChunkBuffers } from "./chunk-buffers.ts";
