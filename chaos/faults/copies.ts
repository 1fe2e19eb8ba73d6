/**
 * The copies on the nodes' disks, and how many of them may be destroyed: none unless enough others of the same chunk lie
 * whole on other disks, looked at by our own eyes.
 */
import { type ChunkId, chunkIdFromBytes } from "@holdfast/core/chunking";
import type { Database } from "@holdfast/db";
import type { Random } from "../random.ts";
import type { NodeDisk } from "./node-disk.ts";
import { patiently, Skipped, untilAnswered } from "./patience.ts";
import type { NodeVictim } from "./victims.ts";

/** A damaged copy may lie unseen for long, so two sound ones have to be left. A node that comes back empty is seen at once. */
const LEFT_BY_DAMAGE_MIN = 2;
const LEFT_BY_WIPE_MIN = 1;
const PATIENCE_MS = 10_000;
/** Each is read from three disks. */
const TRIED_MAX = 200;

export type Damage = "flip-bit" | "truncate-chunk" | "swap-chunks";

interface ChunkRow {
  id: ChunkId;
  length: number;
  replicas: number[];
}

export interface CopiesParts {
  database: Pick<Database, "pool">;
  nodes: readonly NodeVictim[];
  /** One for each node, in their order. */
  disks: readonly NodeDisk[];
  /** Has every copy read by its node, which so finds what is damaged. */
  readAll: () => Promise<unknown>;
  random: Random;
}

export class Copies {
  readonly #parts: CopiesParts;
  /** Copies that we damaged, as "node index/chunk"; whether they are whole again is looked at each time. */
  readonly #damaged = new Set<string>();

  constructor(parts: CopiesParts) {
    this.#parts = parts;
  }

  /** Damages up to so many copies on one node, each of another chunk. Returns how many, one at least. */
  async damage(kind: Damage, index: number, most: number): Promise<number> {
    const done = await this.#damageNow(kind, index, most);
    if (done > 0) return done;
    await untilAnswered(this.#parts.readAll); // what was damaged before is found now, and made whole again
    const later = await this.#patientlyDamage(kind, index, most);
    if (later > 0) return later;
    throw new Skipped("no chunk of it has two other whole copies");
  }

  /** Waits a while for it: repair may be under way. */
  async requireOthers(index: number): Promise<void> {
    const enough = await patiently(async () => {
      const chunks = await this.#chunksOf(index);
      for (const disk of this.#parts.disks) disk.look();
      for (const chunk of chunks) {
        if (this.#wholeElsewhere(chunk, index, false) < LEFT_BY_WIPE_MIN) return false;
      }
      return true;
    }, PATIENCE_MS);
    if (!enough) throw new Skipped("some chunk would be left without any copy");
  }

  async #patientlyDamage(kind: Damage, index: number, most: number): Promise<number> {
    let done = 0;
    await patiently(async () => {
      done = await this.#damageNow(kind, index, most);
      return done > 0;
    }, PATIENCE_MS);
    return done;
  }

  async #damageNow(kind: Damage, index: number, most: number): Promise<number> {
    const { disks, random } = this.#parts;
    const disk = disks[index]!;
    const chunks = random.shuffled(await this.#chunksOf(index));
    for (const each of disks) each.look();
    let done = 0;
    for (const chunk of chunks.slice(0, TRIED_MAX)) {
      if (done === most) break;
      const other = random.pick(chunks);
      if (other.id === chunk.id || !disk.holdsWhole(chunk.id, chunk.length) || !disk.holdsWhole(other.id, other.length)) continue;
      if (this.#wholeElsewhere(chunk, index, true) < LEFT_BY_DAMAGE_MIN) continue;
      this.#damaged.add(`${index}/${chunk.id}`);
      if (kind === "flip-bit") disk.flipBit(chunk.id, chunk.length, random.next());
      else if (kind === "truncate-chunk") disk.truncate(chunk.id, chunk.length, random.next());
      else disk.overwriteWith(chunk.id, chunk.length, other);
      if (!disk.holdsWhole(chunk.id, chunk.length)) done += 1; // its node may have taken it away at this moment
    }
    return done;
  }

  /** `looking`: hash every copy; else only those that we have damaged, and believe of the rest that they are there. */
  #wholeElsewhere({ id, length, replicas }: ChunkRow, index: number, looking: boolean): number {
    const { disks, nodes } = this.#parts;
    return disks.filter((disk, other) => {
      if (other === index || !replicas.includes(nodes[other]!.id)) return false;
      return looking || this.#damaged.has(`${other}/${id}`) ? disk.holdsWhole(id, length) : disk.hasPlace(id, length);
    }).length;
  }

  async #chunksOf(index: number): Promise<ChunkRow[]> {
    const { database, nodes } = this.#parts;
    const { rows } = await untilAnswered(() =>
      database.pool.query<{ id: Buffer; length: number; replicas: number[] }>(
        "SELECT id, length, replicas FROM chunk WHERE state = 'live' AND $1 = ANY (replicas) ORDER BY id",
        [nodes[index]!.id],
      ),
    );
    return rows.map((row) => ({ ...row, id: chunkIdFromBytes(row.id) }));
  }
}
