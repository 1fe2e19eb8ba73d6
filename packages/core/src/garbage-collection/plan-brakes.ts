/**
 * How much may go without a person having been asked.
 *
 * Somebody who empties a small drive deletes all there is, and nobody wants to be asked about that. So a run is too much only
 * when it is a large part of the cluster and large in itself. What a mistake or a damaged database lets go at once is both.
 *
 * Pure.
 */
import { limits } from "../kernel/index.ts";

export interface Amount {
  chunks: number;
  bytes: number;
}

export interface BrakeLimits {
  /** Share of all chunks, 0 to 1. */
  share: number;
  /** Below both of these nothing is too much. */
  chunksMin: number;
  bytesMin: number;
}

export const brakeLimits: BrakeLimits = {
  share: limits.gcBrakeShare,
  chunksMin: limits.gcBrakeChunksMin,
  bytesMin: limits.gcBrakeBytesMin,
};

/** What is still covered by an approval for less: the numbers grow while somebody thinks it over. */
const APPROVAL_MARGIN = 1.1;

export function isTooMuch(
  { chunks, bytes }: Amount,
  chunksTotal: number,
  { share, chunksMin, bytesMin }: BrakeLimits = brakeLimits,
): boolean {
  return chunks > share * chunksTotal && (chunks > chunksMin || bytes > bytesMin);
}

export function isCovered({ chunks, bytes }: Amount, approved: Amount): boolean {
  return chunks <= approved.chunks * APPROVAL_MARGIN && bytes <= approved.bytes * APPROVAL_MARGIN;
}
