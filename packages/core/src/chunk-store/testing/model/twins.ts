/**
 * A store on a disk and one in memory, asked the same and held to the same answers.
 *
 * The reference is `MemoryChunkStore`: a few maps. It is damaged where the store is. Damage comes to light when the chunk is
 * read; a restart and a compaction read by themselves, so there it may. Nothing else is left open but the hour of a trashed
 * chunk, in a store that takes it from the disk's own clock.
 */
import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { type ChunkId, chunkIdOf } from "../../../chunking/index.ts";
import { type Clock, unreachable } from "../../../kernel/index.ts";
import { type ChunkPlace, ChunkStoreError, type LocalChunkStore, MemoryChunkStore, type StoreStats } from "../../index.ts";
import type { StoreKind } from "../stores/index.ts";
import { modelChunks } from "./chunks.ts";
import type { Part } from "./operations.ts";

/** What both can be asked. */
type Askable = Omit<LocalChunkStore, "locate">;

/** More chunks than there are. */
const ALL = modelChunks.length + 1;

export class Twins {
  readonly #kind: StoreKind;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #reference: MemoryChunkStore;
  #store!: LocalChunkStore;
  #nowMs = Date.now();
  /** What the reference had found corrupt when the store was opened, which counts anew each time. */
  #corruptBefore = 0;

  constructor(kind: StoreKind, directory: string) {
    this.#kind = kind;
    this.#directory = directory;
    this.#clock = { monotonicMs: () => performance.now(), now: () => new Date(this.#nowMs) };
    this.#reference = new MemoryChunkStore(undefined, this.#clock);
  }

  async open(): Promise<void> {
    this.#store = await this.#kind.open(this.#directory, this.#clock);
    await this.#kind.compact?.(this.#store); // what it does by itself at its start is over then, and will not meet with damage later
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async reopen(): Promise<void> {
    await this.#store.close();
    this.#corruptBefore = (await this.#reference.stats()).corruptChunks;
    await this.open();
    await this.#mendWhatTheStoreHasWhole();
    await this.#forgetWhatTheStoreForgot();
    await this.#findWhatTheStoreFound();
    await this.same((store) => store.list(undefined, ALL));
    await this.sameTrash(undefined, ALL);
    await this.sameLost(undefined, ALL);
  }

  wait(ms: number): void {
    this.#nowMs += ms;
  }

  /** One question to both. */
  async same(ask: (store: Askable) => Promise<unknown>): Promise<void> {
    assert.deepEqual(await answer(ask(this.#store)), await answer(ask(this.#reference)));
  }

  async sameTrash(after: ChunkId | undefined, limit: number): Promise<void> {
    await this.#adoptHours();
    await this.same((store) => store.listTrash(after, limit));
  }

  sameLost(after: ChunkId | undefined, limit: number): Promise<void> {
    return this.same(async (store) => (await store.lost(after, limit)).map(({ id }) => id));
  }

  /**
   * A part, told by the store alone or not at all. What it tells is right, even of a chunk that is damaged elsewhere; where it
   * tells nothing the whole chunk is asked for, as anybody would.
   */
  async part(id: ChunkId, at: number, length: number): Promise<void> {
    const held = this.#reference.chunks.get(id);
    const from = at % (held?.length ?? 1);
    const part = { from, to: Math.min(held?.length ?? 1, from + length) };
    const told = await this.#store.getPart(id, part);
    const mustTell = held !== undefined && this.#kind.tellsParts(held.length) && !this.#isDamaged(id);
    assert.ok(told !== undefined || !mustTell, "a part of a whole chunk is told");
    if (told === undefined) return this.same((store) => store.get(id));
    const { bytes } = modelChunks.find((chunk) => chunk.id === id)!;
    assert.ok(held !== undefined && told.equals(bytes.subarray(part.from, part.to)), "a part that is told is right");
  }

  async purge(olderThanMs: number): Promise<void> {
    await this.#adoptHours();
    await this.same((store) => store.purgeTrash(olderThanMs));
  }

  /** Asks the store everything at once. */
  async together(parts: readonly Part[]): Promise<void> {
    const told = await Promise.all(parts.map((part) => answer(ask(this.#store, part))));
    for (const [index, part] of parts.entries()) assert.deepEqual(told[index], await answer(ask(this.#reference, part)));
  }

  /** Leaves out what concerns damaged chunks: it is open whether the reader or the compaction comes upon the damage first. */
  async besideCompaction(parts: readonly Part[]): Promise<void> {
    const sure = parts.filter(({ chunk }) => !this.#isDamaged(modelChunks[chunk]!.id));
    await Promise.all([this.#kind.compact?.(this.#store), this.together(sure)]);
    await this.#findWhatTheStoreFound();
  }

  /** A chunk that is damaged already stays as it is: the same bit might be flipped back. */
  async damage(id: ChunkId, at: number): Promise<void> {
    const place = await this.#store.locate(id);
    const bytes = this.#bytesOf(id);
    assert.equal(place?.length, bytes?.length, "the place of a chunk that is held or in the trash is known, and of no other");
    if (place === undefined || bytes === undefined || this.#isDamaged(id)) return;
    await flipBit(place, bytes, at % bytes.length);
    bytes[at % bytes.length]! ^= 1;
  }

  /** The sums, and of each chunk whether it is held, in the trash or neither: all that a list would show, and quicker. */
  async agree(): Promise<void> {
    const [told, expected] = [await this.#store.stats(), await this.#reference.stats()];
    assert.deepEqual(sums(told), { ...sums(expected), corruptChunks: expected.corruptChunks - this.#corruptBefore });
    await this.same((store) => Promise.all(modelChunks.map(({ id }) => store.stat(id))));
    const places = await Promise.all(modelChunks.map(({ id }) => this.#store.locate(id)));
    assert.deepEqual(
      places.map((place) => place?.length),
      modelChunks.map(({ id }) => this.#bytesOf(id)?.length),
    );
  }

  #bytesOf(id: ChunkId): Buffer | undefined {
    return this.#reference.chunks.get(id) ?? this.#reference.trashed.get(id)?.bytes;
  }

  #isDamaged(id: ChunkId): boolean {
    const bytes = this.#bytesOf(id);
    return bytes !== undefined && chunkIdOf(bytes) !== id;
  }

  async #adoptHours(): Promise<void> {
    if (this.#kind.trashedBy === "clock") return;
    for (const { id, trashedAt } of await this.#store.listTrash(undefined, ALL)) {
      const trashed = this.#reference.trashed.get(id);
      if (trashed !== undefined) trashed.trashedAt = trashedAt;
    }
  }

  /** While compaction has copied a chunk and its old segment is still there, a start takes the record that was not damaged. */
  async #mendWhatTheStoreHasWhole(): Promise<void> {
    for (const { id, bytes } of modelChunks.filter((chunk) => this.#isDamaged(chunk.id))) {
      const place = await this.#store.locate(id);
      if (place !== undefined && (await bytesAt(place)).equals(bytes)) bytes.copy(this.#bytesOf(id)!);
    }
  }

  /** A damaged chunk that the store no longer has was found by the store itself; so the reference finds it, too. */
  async #findWhatTheStoreFound(): Promise<void> {
    for (const id of await this.#damagedAndGone()) await this.#reference.restore([id]);
  }

  /** Damaged chunks that the store does not say are lost: it cannot tell them from ones that were never wholly written. */
  async #forgetWhatTheStoreForgot(): Promise<void> {
    const lost = new Set((await this.#store.lost(undefined, ALL)).map(({ id }) => id));
    for (const id of (await this.#damagedAndGone()).filter((each) => !lost.has(each))) {
      await this.#reference.delete(id);
      this.#reference.trashed.delete(id);
    }
  }

  async #damagedAndGone(): Promise<ChunkId[]> {
    const damaged = modelChunks.map(({ id }) => id).filter((id) => this.#isDamaged(id));
    const places = await Promise.all(damaged.map((id) => this.#store.locate(id)));
    return damaged.filter((_id, index) => places[index] === undefined);
  }
}

/** Bytes as what they are known by, and refusals by their code: what is compared must be short when it differs. */
async function answer(asked: Promise<unknown>): Promise<unknown> {
  try {
    const told = await asked;
    return Buffer.isBuffer(told) ? { length: told.length, bytesOf: chunkIdOf(told) } : told;
  } catch (error) {
    if (error instanceof ChunkStoreError) return error.code;
    throw error;
  }
}

function ask(store: Askable, { kind, chunk }: Part): Promise<unknown> {
  const { id, bytes } = modelChunks[chunk]!;
  switch (kind) {
    case "put":
      return store.put(id, bytes);
    case "get":
      return store.get(id);
    case "delete":
      return store.delete(id);
    case "trash":
      return store.trash([id]);
    case "restore":
      return store.restore([id]);
    default:
      return unreachable(kind);
  }
}

function sums({ chunkCount, usedBytes, writable, diskErrors, corruptChunks, foreignFiles }: StoreStats): Partial<StoreStats> {
  return { chunkCount, usedBytes, writable, diskErrors, corruptChunks, foreignFiles };
}

async function flipBit(place: ChunkPlace, bytes: Buffer, at: number): Promise<void> {
  assert.ok((await bytesAt(place)).equals(bytes), "the chunk's own bytes lie where the store says");
  const file = await open(place.path, "r+");
  try {
    await file.write(Buffer.of(bytes[at]! ^ 1), 0, 1, place.offset + at);
  } finally {
    await file.close();
  }
}

async function bytesAt({ path, offset, length }: ChunkPlace): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
