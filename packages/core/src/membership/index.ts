export { createMembershipCache, type MembershipCacheOptions, readNodes } from "./cache.ts";
export { ensureClusterId } from "./cluster-id.ts";
export { MembershipError, type MembershipErrorCode } from "./errors.ts";
export { type IntentChange, setIntent } from "./intent.ts";
export type { Membership, NodeSnapshot } from "./node-snapshot.ts";
export { type NodeHeartbeat, type NodeRegistration, type NodeStatus, recordHeartbeat, registerNode, type Transact } from "./registry.ts";
