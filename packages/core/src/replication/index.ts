export { ReplicationError, type ReplicationErrorCode } from "./errors.ts";
export {
  type ChunkReplicator,
  type ChunkReplicatorOptions,
  type CopyOrders,
  createChunkReplicator,
  type ReplicatedChunk,
  type ReplicationTail,
} from "./replicator.ts";
