/** Turns what came over the wire into what the domain takes, or says which field is impossible. */
import { z } from "zod";
import { type ChunkId, parseChunkId } from "../chunking/index.ts";
import { limits } from "../kernel/index.ts";
import type { NodeHeartbeat, NodeRegistration } from "../membership/index.ts";
import {
  type GetFileMetadataRequest,
  type GetUploadPlanRequest,
  type HeartbeatRequest,
  parseCall,
  type RegisterNodeRequest,
  type ReportChunkStoredRequest,
} from "../protocol/index.ts";
import type { StoredReplica } from "./stored-replicas.ts";

/** A smallint. */
const NODE_ID_MAX = 32_767;

const count = z.bigint().max(BigInt(Number.MAX_SAFE_INTEGER), "is too large").transform(Number);
const duration = z.number().min(0, "must not be negative");
const uuid = z.uuid("must be a UUID");
const label = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "must be 1 to 63 letters, digits, dots, dashes or underscores");

const statusFields = z.object({
  capacityBytes: count,
  freeBytes: count,
  usedBytes: count,
  chunkCount: count,
  writable: z.boolean(),
  writeRefusal: z.string().max(1_000),
  diskErrors: count,
  corruptChunks: count,
  device: z.string().max(300),
  writeLatencyMs: duration,
  readLatencyMs: duration,
  grpcPort: z.number().max(65_535, "must be a port"),
  scrubProgress: z.number().min(0).max(1),
  scrubbedAtMs: count,
});

const status = statusFields.transform(({ scrubbedAtMs, ...fields }) => ({
  ...fields,
  scrubbedAt: scrubbedAtMs === 0 ? undefined : new Date(scrubbedAtMs),
}));

const registration = z.object({
  identity: uuid,
  bootId: uuid,
  clusterId: z.union([z.literal("").transform(() => undefined), uuid]),
  name: label,
  host: z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, "must be a host name or an address"),
  port: z.number().min(1, "must be a port").max(65_535, "must be a port"),
  zone: z.union([z.literal("").transform(() => "default"), label]),
  mac: z.string().max(64),
  version: z.string().max(64),
  store: z.enum(["file", "segment"]),
  status,
});

const heartbeat = z.object({ identity: uuid, bootId: uuid, sequence: count.refine((value) => value > 0, "counts up from 1"), status });

/** Throws `call.invalid`. */
export const parseRegistration = (request: RegisterNodeRequest): NodeRegistration => parseCall(registration, request);

/** Throws `call.invalid`. */
export const parseHeartbeat = (request: HeartbeatRequest): NodeHeartbeat => parseCall(heartbeat, request);

const chunkId = z.string().transform((text, check): ChunkId => parseChunkId(text) ?? notAnId(check));
const chunkLength = z.number().min(1, "must not be empty").max(limits.chunkBytesMax, "is longer than a chunk can be");
const uploadPlan = z.object({
  chunks: z
    .array(z.object({ id: chunkId, length: chunkLength }))
    .min(1, "must not be empty")
    .max(limits.listPageMax, "are too many"),
});
const stored = z.object({ chunkId, nodeId: z.number().min(1, "must be a node's number").max(NODE_ID_MAX, "must be a node's number") });
const replicaReport = z.object({ replicas: z.array(stored).min(1, "must not be empty").max(limits.replicaReportsMax, "are too many") });
const fileMetadata = z.object({ versionId: uuid, fromOffset: count });

/** Throws `call.invalid`. */
export const parseUploadPlan = (request: GetUploadPlanRequest): ChunkId[] => parseCall(uploadPlan, request).chunks.map(({ id }) => id);

/** Throws `call.invalid`. */
export const parseReplicaReport = (request: ReportChunkStoredRequest): StoredReplica[] => parseCall(replicaReport, request).replicas;

/** Throws `call.invalid`. */
export const parseFileMetadata = (request: GetFileMetadataRequest): { versionId: string; fromOffset: number } =>
  parseCall(fileMetadata, request);

function notAnId(check: z.RefinementCtx): never {
  check.addIssue("must be 64 lower-case hex digits");
  return z.NEVER;
}
