import type { AccountErrorCode } from "../accounts/index.ts";
import type { ChunkStoreErrorCode } from "../chunk-store/index.ts";
import type { DownloadErrorCode } from "../download/index.ts";
import type { DriveErrorCode } from "../drive/index.ts";
import type { SimulationErrorCode } from "../fault-simulation/index.ts";
import type { ReplicationErrorCode } from "../replication/index.ts";
import type { UploadErrorCode } from "../upload/index.ts";
import type { HttpEdgeErrorCode } from "./errors.ts";

/** Every code that may leave over HTTP. A domain that adds a code adds its line here, or this does not compile. */
export type EdgeErrorCode =
  | HttpEdgeErrorCode
  | AccountErrorCode
  | ChunkStoreErrorCode
  | DriveErrorCode
  | DownloadErrorCode
  | ReplicationErrorCode
  | SimulationErrorCode
  | UploadErrorCode;

const STATUSES: Record<EdgeErrorCode, number> = {
  "auth.required": 401,
  "auth.forbidden": 403,
  "auth.unconfirmed": 403,
  "request.cross_site": 403,
  "request.bad_target": 400,
  "request.method_not_allowed": 405,
  "request.not_found": 404,
  "request.invalid": 400,
  "service.starting": 503,

  "chunk.not_found": 404,
  "chunk.corrupt": 502,
  "chunk.no_source": 503,
  "chunk.mismatch": 422,
  "chunk.bad_length": 400,
  "store.full": 507,
  "store.failed": 503,
  "store.stale_epoch": 409,
  "store.unreachable": 503,
  "store.unauthenticated": 502,

  "entry.not_found": 404,
  "entry.name_taken": 409,
  "entry.cycle": 409,
  "entry.is_root": 403,
  "entry.not_a_folder": 409,
  "entry.not_a_file": 409,
  "entry.not_trashed": 409,
  "entry.too_deep": 409,
  "name.invalid": 400,
  "name.too_long": 400,
  "cursor.invalid": 400,
  "drive.over_quota": 507,

  "setup.done": 409,
  "setup.wrong_code": 403,
  "setup.too_many_tries": 429,
  "account.wrong_password": 403,
  "account.too_many_tries": 429,
  "account.sign_up_closed": 403,
  "account.own_role": 409,
  "account.invalid": 400,

  "content.unavailable": 503,
  "content.changed": 412,
  "range.not_satisfiable": 416,

  "cluster.too_few_nodes": 503,
  "cluster.full": 507,

  "simulation.off": 403,
  "simulation.invalid": 400,
  "simulation.last_copy": 409,
  "simulation.only_embedded": 409,
  "simulation.conflict": 409,
  "simulation.no_such_node": 404,
  "simulation.failed": 502,

  // As the tus protocol has them.
  "upload.not_found": 404,
  "upload.expired": 410,
  "upload.failed": 410,
  "upload.bad_header": 400,
  "upload.bad_metadata": 400,
  "upload.unsupported_version": 412,
  "upload.bad_media_type": 415,
  "upload.too_large": 413,
  "upload.too_long": 413,
  "upload.wrong_offset": 409,
  "upload.copies_gone": 503,
  "upload.is_final": 403,
  "upload.bad_checksum": 400,
  "upload.checksum_mismatch": 460,
  "upload.part_unfinished": 409,
  "upload.busy": 423,
  "upload.too_many_open": 429,
  "upload.steps_too_short": 429,
};

/** Undefined for a code that no domain declared: the caller treats the error as a bug. */
export function statusOf(code: string): number | undefined {
  return Object.hasOwn(STATUSES, code) ? STATUSES[code as EdgeErrorCode] : undefined;
}
