import type { Scenario } from "../scenario.ts";
import { chunkRows } from "./chunk-rows.ts";
import { download } from "./download.ts";
import { listing } from "./listing.ts";
import { memory } from "./memory.ts";
import { planning } from "./planning.ts";
import { ranges } from "./ranges.ts";
import { rebalance } from "./rebalance.ts";
import { repair } from "./repair.ts";
import { scrub } from "./scrub.ts";
import { silentNode } from "./silent-node.ts";
import { smallFiles } from "./small-files.ts";
import { smallReads } from "./small-reads.ts";
import { transport } from "./transport.ts";
import { upload } from "./upload.ts";
import { uploadsAtOnce } from "./uploads-at-once.ts";

/** In the order of their numbers. */
export const scenarios: readonly Scenario[] = [
  upload,
  uploadsAtOnce,
  smallFiles,
  download,
  ranges,
  listing,
  repair,
  rebalance,
  silentNode,
  scrub,
  memory,
  chunkRows,
  planning,
  transport,
  smallReads,
];
