/**
 * The register of storage nodes: who belongs to the cluster, where each is, and what each last said of itself.
 *
 * A node is the identity on its disk. Address, name and process may change; the number it got the first time stays, because
 * `Chunk.replicas` holds it. One process at a time speaks for an identity: the one whose boot id is in the row. A second one
 * with another address is a copied disk and is refused while the first may still be there; two nodes that count as one
 * would make two copies out of one, and lose both.
 *
 * Whether a node is up is not decided here: that is failure detection's job, and it wants to be told who was heard.
 */
import type { NodeHealth } from "@holdfast/db";
import type pg from "pg";
import { recordEvent } from "../events/index.ts";
import { ensureClusterId } from "./cluster-id.ts";
import { MembershipError } from "./errors.ts";
import { freeNodeName } from "./node-name.ts";

/** What a node says of itself with every call. Bytes and counts are whole numbers below 2^53. */
export interface NodeStatus {
  capacityBytes: number;
  freeBytes: number;
  usedBytes: number;
  chunkCount: number;
  writable: boolean;
  /** Why it takes no chunks, when it does not. */
  writeRefusal: string;
  /** Since its process started: operations that the disk failed, and chunks found damaged and set aside. */
  diskErrors: number;
  corruptChunks: number;
  /** Which disk it is on, as its machine numbers them. */
  device: string;
  /** Typical durable write and verified read of the last minute; 0 when there was none. */
  writeLatencyMs: number;
  readLatencyMs: number;
  /** Where StorageService answers; 0 when it does not. */
  grpcPort: number;
  /** 0 to 1, of the present scrub pass. */
  scrubProgress: number;
  /** When the last full scrub pass ended. */
  scrubbedAt: Date | undefined;
}

export interface NodeRegistration {
  identity: string;
  bootId: string;
  /** Undefined on a new disk. */
  clusterId: string | undefined;
  name: string;
  host: string;
  port: number;
  /** Where it is when it joins. */
  zone: string;
  mac: string;
  version: string;
  store: "file" | "segment";
  status: NodeStatus;
}

export interface NodeHeartbeat {
  identity: string;
  bootId: string;
  /** Counts up from 1 within a boot. */
  sequence: number;
  status: NodeStatus;
}

interface KnownNode {
  id: number;
  name: string;
  host: string;
  port: number;
  bootId: string;
  health: NodeHealth;
}

/** Runs the work in one transaction. A leader's are fenced by its epoch. */
export type Transact = <T>(work: (tx: pg.PoolClient) => Promise<T>) => Promise<T>;

/**
 * Makes a node known, or recognises it. Rejects with `node.foreign` or `node.cloned`. May be repeated. `isGone` tells whether
 * a node has been silent for as long as one that is down, even if nobody dares to call it down.
 */
export async function registerNode(
  transact: Transact,
  registration: NodeRegistration,
  isGone: (nodeId: number) => boolean,
): Promise<{ nodeId: number; clusterId: string }> {
  try {
    return await transact((tx) => admitOrRecognise(tx, registration, isGone));
  } catch (error) {
    if (error instanceof MembershipError && error.code === "node.cloned") await transact((tx) => recordRefusedClone(tx, error));
    throw error;
  }
}

async function admitOrRecognise(
  tx: pg.PoolClient,
  registration: NodeRegistration,
  isGone: (nodeId: number) => boolean,
): Promise<{ nodeId: number; clusterId: string }> {
  const clusterId = await ensureClusterId(tx);
  refuseForeignDisk(registration, clusterId);
  await tx.query("SELECT FROM cluster FOR UPDATE"); // one registration at a time: numbers and names are given out here
  const { rows } = await tx.query<KnownNode>(`SELECT id, name, host, port, boot_id AS "bootId", health FROM node WHERE identity = $1`, [
    registration.identity,
  ]);
  const known = rows[0];
  if (known === undefined) return { nodeId: await admitNode(tx, registration), clusterId };
  if (known.health !== "down" && !isGone(known.id)) refuseClone(known, registration);
  return { nodeId: await recogniseNode(tx, known, registration), clusterId };
}

/**
 * Takes note of what a node says. `fresh` is false for a heartbeat older than the last one, which changes nothing.
 * Rejects with `node.unregistered` when this boot of this node is not the one on record.
 */
export async function recordHeartbeat(pool: pg.Pool, heartbeat: NodeHeartbeat): Promise<{ nodeId: number; fresh: boolean }> {
  const { identity, bootId, sequence, status } = heartbeat;
  const { rows } = await pool.query<{ id: number; name: string; wasWritable: boolean }>(
    `UPDATE node SET heartbeat_seq = $3, ${statusAssignments(4)}, last_seen_at = now()
       FROM (SELECT id, writable FROM node WHERE identity = $1 AND boot_id = $2 AND heartbeat_seq < $3 FOR UPDATE) before
      WHERE node.id = before.id
      RETURNING node.id, node.name, before.writable AS "wasWritable"`,
    [identity, bootId, sequence, ...statusValues(status)],
  );
  const node = rows[0];
  if (node === undefined) return { nodeId: await currentNodeId(pool, heartbeat), fresh: false };
  if (node.wasWritable !== status.writable) await recordWritability(pool, node, status);
  return { nodeId: node.id, fresh: true };
}

const STATUS_FIELDS = {
  capacity_bytes: "capacityBytes",
  free_bytes: "freeBytes",
  used_bytes: "usedBytes",
  chunk_count: "chunkCount",
  writable: "writable",
  write_refusal: "writeRefusal",
  disk_errors: "diskErrors",
  corrupt_chunks: "corruptChunks",
  device: "device",
  write_latency_ms: "writeLatencyMs",
  read_latency_ms: "readLatencyMs",
  grpc_port: "grpcPort",
  scrub_progress: "scrubProgress",
  scrubbed_at: "scrubbedAt",
} as const satisfies Record<string, keyof NodeStatus>;

const STATUS_COLUMNS = Object.keys(STATUS_FIELDS);

function statusValues(status: NodeStatus): unknown[] {
  return Object.values(STATUS_FIELDS).map((field) => status[field] ?? null);
}

/** `column = $5, …`, with the first parameter's number. */
function statusAssignments(firstParameter: number): string {
  return STATUS_COLUMNS.map((column, index) => `${column} = $${index + firstParameter}`).join(", ");
}

function refuseForeignDisk({ clusterId, name }: NodeRegistration, ours: string): void {
  if (clusterId === undefined || clusterId === ours) return;
  throw new MembershipError(
    "node.foreign",
    `The disk of ${name} belongs to another cluster (${clusterId}; this one is ${ours}). Point the node at its own controller, or give it an empty directory.`,
    { theirs: clusterId, ours },
  );
}

function refuseClone(known: KnownNode, { bootId, host, port }: NodeRegistration): void {
  const sameProcess = known.bootId === bootId;
  const sameAddress = known.host === host && known.port === port;
  if (sameProcess || sameAddress) return;
  throw new MembershipError(
    "node.cloned",
    `${known.name} already runs at ${known.host}:${known.port} with the identity of this disk. If the disk was copied, empty the copy's directory. If it was moved here, wait: it is accepted as soon as the old place has been silent long enough to count as down.`,
    { nodeId: known.id, name: known.name, holder: `${known.host}:${known.port}`, refused: `${host}:${port}` },
  );
}

/** At most once a minute: the copy asks again every few seconds. */
async function recordRefusedClone(tx: pg.PoolClient, { details }: MembershipError): Promise<void> {
  const { nodeId, name, holder, refused } = details as { nodeId: number; name: string; holder: string; refused: string };
  const { rowCount } = await tx.query(
    "SELECT FROM event WHERE kind = 'node.clone_refused' AND node_id = $1 AND at > now() - interval '1 minute' LIMIT 1",
    [nodeId],
  );
  if (rowCount !== 0) return;
  await recordEvent(tx, {
    severity: "warning",
    kind: "node.clone_refused",
    message: `A second node at ${refused} came with the identity of ${name}, which runs at ${holder}. It was refused: two that count as one would make two copies out of one.`,
    nodeId,
    data: { holder, refused },
  });
}

async function admitNode(tx: pg.PoolClient, registration: NodeRegistration): Promise<number> {
  const { identity, bootId, host, port, zone, mac, version, store, status } = registration;
  const name = freeNodeName(registration.name, await namesOfOthers(tx, identity));
  const { rows } = await tx.query<{ id: number }>(
    `INSERT INTO node (identity, boot_id, name, host, port, zone, mac, version, store, ${STATUS_COLUMNS.join(", ")}, health, last_seen_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, ${STATUS_COLUMNS.map((_, index) => `$${index + 10}`).join(", ")}, 'up', now()) RETURNING id`,
    [identity, bootId, name, host, port, zone, mac, version, store, ...statusValues(status)],
  );
  const nodeId = rows[0]!.id;
  await recordEvent(tx, { severity: "info", kind: "node.registered", message: `${name} joined at ${host}:${port}.`, nodeId });
  return nodeId;
}

/** Its zone stays as it is on record: after the first time, operators say where a node is. */
async function recogniseNode(tx: pg.PoolClient, known: KnownNode, registration: NodeRegistration): Promise<number> {
  const { identity, bootId, host, port, mac, version, store, status } = registration;
  const name = freeNodeName(registration.name, await namesOfOthers(tx, identity));
  const restarted = bootId !== known.bootId;
  await tx.query(
    `UPDATE node SET boot_id = $2, name = $3, host = $4, port = $5, mac = $6, version = $7, store = $8,
            ${statusAssignments(9)},
            heartbeat_seq = CASE WHEN boot_id = $2 THEN heartbeat_seq ELSE 0 END, last_seen_at = now()
      WHERE id = $1`,
    [known.id, bootId, name, host, port, mac, version, store, ...statusValues(status)],
  );
  if (restarted) {
    const moved = host !== known.host || port !== known.port;
    const message = moved ? `${name} restarted, and moved from ${known.host}:${known.port} to ${host}:${port}.` : `${name} restarted.`;
    await recordEvent(tx, { severity: "info", kind: "node.restarted", message, nodeId: known.id });
  }
  return known.id;
}

async function namesOfOthers(tx: pg.PoolClient, identity: string): Promise<Set<string>> {
  const { rows } = await tx.query<{ name: string }>("SELECT name FROM node WHERE identity <> $1", [identity]);
  return new Set(rows.map((row) => row.name));
}

async function currentNodeId(pool: pg.Pool, { identity, bootId }: NodeHeartbeat): Promise<number> {
  const { rows } = await pool.query<{ id: number }>("SELECT id FROM node WHERE identity = $1 AND boot_id = $2", [identity, bootId]);
  if (rows[0] === undefined)
    throw new MembershipError("node.unregistered", "This run of the node is not registered. Register, then go on.");
  return rows[0].id;
}

function recordWritability(
  pool: pg.Pool,
  { id, name }: { id: number; name: string },
  { writable, writeRefusal }: NodeStatus,
): Promise<void> {
  return writable
    ? recordEvent(pool, { severity: "info", kind: "node.writable", message: `${name} takes new chunks again.`, nodeId: id })
    : recordEvent(pool, {
        severity: "warning",
        kind: "node.unwritable",
        message: `${name} takes no new chunks: ${writeRefusal}`,
        nodeId: id,
      });
}
