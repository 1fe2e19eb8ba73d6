/**
 * Who a disk is: a small file beside the chunks with the node's identity and, once it has joined, its cluster and number.
 *
 * It exists so that a disk is never mistaken: not for an empty one when its file system was not mounted or its marker was
 * lost, not for a node of this cluster when it came from another. In doubt the node does not start, because "no chunks
 * here, all is well" would be believed and acted upon.
 */
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "../chunk-store/index.ts";
import { type Clock, systemClock } from "../kernel/index.ts";
import { EnvironmentError } from "../service/index.ts";
import { RegistrationRefused } from "./errors.ts";

const MARKER = "holdfast-node.json";

const nodeIdentity = z.object({
  format: z.literal(1),
  identity: z.uuid(),
  store: z.string(),
  createdAt: z.iso.datetime(),
  /** Both absent until the first registration. */
  clusterId: z.uuid().optional(),
  nodeId: z.int().positive().optional(),
});

export type NodeIdentity = z.output<typeof nodeIdentity>;

export interface IdentityMarker {
  readonly current: NodeIdentity;
  /** Puts the cluster and the number on the disk, durably. A disk never changes its cluster: rejects with `node.foreign`. */
  complete(membership: { clusterId: string; nodeId: number }): Promise<void>;
}

/** Reads the marker of an existing directory or makes one in an empty one. Rejects with an `EnvironmentError` when the disk may be another than it seems. */
export async function openIdentity(directory: string, store: string, clock: Clock = systemClock): Promise<IdentityMarker> {
  const path = join(directory, MARKER);
  let current = existsSync(path) ? read(path) : undefined;
  if (current === undefined) {
    requireNoChunks(directory);
    current = { format: 1, identity: randomUUID(), store, createdAt: clock.now().toISOString() };
    await write(path, current);
  }
  if (current.store !== store) {
    throw new EnvironmentError(`${directory} holds a "${current.store}" store. Set HOLDFAST_NODE_STORE=${current.store}.`);
  }
  return markerAt(path, current);
}

function markerAt(path: string, identity: NodeIdentity): IdentityMarker {
  let current = identity;
  return {
    get current() {
      return current;
    },
    async complete({ clusterId, nodeId }) {
      if (current.clusterId === clusterId && current.nodeId === nodeId) return;
      if (current.clusterId !== undefined && current.clusterId !== clusterId) {
        throw new RegistrationRefused("node.foreign", `${path} belongs to cluster ${current.clusterId}, and this is ${clusterId}.`);
      }
      const completed = { ...current, clusterId, nodeId };
      await write(path, completed);
      current = completed;
    },
  };
}

function read(path: string): NodeIdentity {
  try {
    return nodeIdentity.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new EnvironmentError(
      `${path} cannot be read, so nobody can say whose chunks these are. Restore it from a backup, or check the disk.`,
      {
        cause,
      },
    );
  }
}

function write(path: string, identity: NodeIdentity): Promise<void> {
  const bytes = Buffer.from(`${JSON.stringify(identity, undefined, 2)}\n`);
  return writeDurably({ temporary: `${path}.new`, destination: path }, [bytes]);
}

function requireNoChunks(directory: string): void {
  const chunks = join(directory, "chunks");
  if (!existsSync(chunks)) return;
  const hasFiles = readdirSync(chunks, { recursive: true, withFileTypes: true }).some((entry) => entry.isFile());
  if (!hasFiles) return;
  throw new EnvironmentError(
    `${directory} holds chunks but no ${MARKER}, so nobody can say whose they are. Restore the file, or use an empty directory.`,
  );
}
