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
import { type ChunkStoreKind, chunkStoreKinds, NEW_DISK_STORE, writeDurably } from "../chunk-store/index.ts";
import { type Clock, systemClock } from "../kernel/index.ts";
import { EnvironmentError } from "../service/index.ts";
import { RegistrationRefused } from "./errors.ts";

const MARKER = "holdfast-node.json";

const nodeIdentity = z.object({
  format: z.literal(1),
  identity: z.uuid(),
  store: z.enum(chunkStoreKinds),
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
  /** Puts on the disk, durably, how its chunks are kept from now on. Before the first of them is. */
  keepAs(store: ChunkStoreKind): Promise<void>;
}

/**
 * Reads the marker of an existing directory or makes one in an empty one. `wanted` says how its chunks are to be kept, where
 * an operator said so. Rejects with an `EnvironmentError` when the disk may be another than it seems, or cannot be what is wanted.
 */
export async function openIdentity(
  directory: string,
  wanted: ChunkStoreKind | undefined,
  clock: Clock = systemClock,
): Promise<IdentityMarker> {
  const path = join(directory, MARKER);
  let current = existsSync(path) ? read(path) : undefined;
  if (current === undefined) {
    requireNoChunks(directory);
    current = { format: 1, identity: randomUUID(), store: wanted ?? NEW_DISK_STORE, createdAt: clock.now().toISOString() };
    await write(path, current);
  }
  if (current.store === "segment" && wanted === "file") {
    throw new EnvironmentError(
      `${directory} keeps its chunks in segments, from which there is no way back. Set HOLDFAST_NODE_STORE=segment.`,
    );
  }
  return markerAt(path, current);
}

function markerAt(path: string, identity: NodeIdentity): IdentityMarker {
  let current = identity;
  const change = async (changes: Partial<NodeIdentity>): Promise<void> => {
    const changed = { ...current, ...changes };
    await write(path, changed);
    current = changed;
  };
  return {
    get current() {
      return current;
    },
    async complete({ clusterId, nodeId }) {
      if (current.clusterId === clusterId && current.nodeId === nodeId) return;
      if (current.clusterId !== undefined && current.clusterId !== clusterId) {
        throw new RegistrationRefused("node.foreign", `${path} belongs to cluster ${current.clusterId}, and this is ${clusterId}.`);
      }
      await change({ clusterId, nodeId });
    },
    async keepAs(store) {
      if (current.store !== store) await change({ store });
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
  const folders = ["chunks", "trash", "segments"].map((folder) => join(directory, folder)).filter((folder) => existsSync(folder));
  const entries = folders.flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }));
  if (!entries.some((entry) => entry.isFile())) return;
  throw new EnvironmentError(
    `${directory} holds chunks but no ${MARKER}, so nobody can say whose they are. Restore the file, or use an empty directory.`,
  );
}
