/** Each chunk's copies, read from the nodes themselves: what the rows promise is on the disks, whole. */
import { type ChunkId, chunkIdFromBytes, chunkIdToBytes } from "@holdfast/core/chunking";
import type { NodeAddress, NodeClients } from "@holdfast/core/node-client";
import type { Database } from "@holdfast/db";

const AT_ONCE = 8;
const PAGE = 1_000;

interface Chunk {
  id: ChunkId;
  length: number;
  replicas: number[];
}

type Node = NodeAddress & { name: string };

export interface CopyFindings {
  chunks: number;
  copies: number;
  /** One line each. */
  faults: string[];
}

export async function checkCopies({ pool }: Pick<Database, "pool">, clients: NodeClients, replicas: number): Promise<CopyFindings> {
  const nodes = await readNodes({ pool });
  const chunks = await readChunks({ pool });
  const faults: string[] = [];
  const queue = [...chunks];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let chunk = queue.pop(); chunk !== undefined; chunk = queue.pop()) {
        const found = await faultsOf(chunk, nodes, clients, replicas);
        if (found.length > 0 && (await isUnchanged({ pool }, chunk))) faults.push(...found);
      }
    }),
  );
  return { chunks: chunks.length, copies: chunks.reduce((sum, chunk) => sum + chunk.replicas.length, 0), faults };
}

async function readChunks({ pool }: Pick<Database, "pool">, only?: ChunkId): Promise<Chunk[]> {
  const { rows } = await pool.query<{ id: Buffer; length: number; replicas: number[] }>(
    "SELECT id, length, replicas FROM chunk WHERE state = 'live' AND ($1::bytea IS NULL OR id = $1) ORDER BY id",
    [only === undefined ? null : chunkIdToBytes(only)],
  );
  return rows.map((row) => ({ ...row, id: chunkIdFromBytes(row.id) }));
}

/** A copy that was given up while we looked for it is not missing. */
async function isUnchanged(database: Pick<Database, "pool">, { id, replicas }: Chunk): Promise<boolean> {
  const [now] = await readChunks(database, id);
  return now !== undefined && now.replicas.join() === replicas.join();
}

async function faultsOf(chunk: Chunk, nodes: Map<number, Node>, clients: NodeClients, replicas: number): Promise<string[]> {
  const distinct = new Set(chunk.replicas).size;
  const faults = distinct < replicas ? [`chunk ${chunk.id} is on ${distinct} of ${replicas} nodes`] : [];
  for (const nodeId of chunk.replicas) {
    const node = nodes.get(nodeId);
    const fault = node === undefined ? "there is no such node" : await faultOfCopy(clients, node, chunk);
    if (fault !== undefined) faults.push(`chunk ${chunk.id} is not whole on ${node?.name ?? `node ${nodeId}`}: ${fault}`);
  }
  return faults;
}

async function faultOfCopy(clients: NodeClients, node: Node, { id, length }: Chunk): Promise<string | undefined> {
  try {
    const bytes = await clients.clientFor(node).get(id);
    return bytes.length === length ? undefined : `it has ${bytes.length} bytes instead of ${length}`;
  } catch (error) {
    return String(error);
  }
}

export interface StrayFindings {
  /** Copies on nodes of chunks that no row knows. */
  orphans: string[];
  /** Copies on nodes that the chunk's row does not name. */
  surplus: string[];
  /** Chunks that nothing refers to and that are live all the same. */
  unreferenced: number;
}

/** What lies on the nodes beyond what the rows ask for. */
export async function findStrays({ pool }: Pick<Database, "pool">, clients: NodeClients): Promise<StrayFindings> {
  const { rows } = await pool.query<{ id: Buffer; replicas: number[] }>("SELECT id, replicas FROM chunk");
  const holders = new Map(rows.map(({ id, replicas }) => [chunkIdFromBytes(id), replicas]));
  const strays: StrayFindings = { orphans: [], surplus: [], unreferenced: 0 };
  for (const node of (await readNodes({ pool })).values()) {
    for await (const id of idsOn(clients, node)) {
      const known = holders.get(id);
      if (known === undefined) strays.orphans.push(`${id} on ${node.name}`);
      else if (!known.includes(node.id)) strays.surplus.push(`${id} on ${node.name}`);
    }
  }
  const unreferenced = await pool.query<{ count: number }>(
    "SELECT count(*) FROM chunk WHERE state = 'live' AND NOT EXISTS (SELECT FROM extent WHERE chunk_id = chunk.id)",
  );
  return { ...strays, unreferenced: unreferenced.rows[0]!.count };
}

/** Every copy on every node, as "chunk on node". */
export async function listCopies({ pool }: Pick<Database, "pool">, clients: NodeClients): Promise<string[]> {
  const copies: string[] = [];
  for (const node of (await readNodes({ pool })).values()) {
    for await (const id of idsOn(clients, node)) copies.push(`${id} on ${node.name}`);
  }
  return copies;
}

async function* idsOn(clients: NodeClients, node: Node): AsyncGenerator<ChunkId> {
  let after: ChunkId | undefined;
  do {
    const page = await clients.clientFor(node).list(after, PAGE);
    for (const { id } of page) yield id;
    after = page.length < PAGE ? undefined : page.at(-1)?.id;
  } while (after !== undefined);
}

async function readNodes({ pool }: Pick<Database, "pool">): Promise<Map<number, Node>> {
  const { rows } = await pool.query<Node>("SELECT id, name, host, port FROM node WHERE intent <> 'removed'");
  return new Map(rows.map((node) => [node.id, node]));
}
