/** What this machine can do at all, measured at the start of the run and once for all of it; the best of a few tries. */
import type { Limit } from "../report/row.ts";
import { type CommitRates, measureCommits, withDatabase } from "./database.ts";
import { type DiskRates, measureDisk } from "./disk.ts";
import { measureHash, measureLoopback } from "./processor.ts";

const TRIES = 3;

export class Limits {
  readonly #disk: DiskRates;
  readonly #loopback: number;
  readonly #hash: number;
  #commits: CommitRates | undefined;

  private constructor(disk: DiskRates, loopback: number, hash: number) {
    this.#disk = disk;
    this.#loopback = loopback;
    this.#hash = hash;
  }

  static async measure(directory: string): Promise<Limits> {
    const disks: DiskRates[] = [];
    const loopbacks: number[] = [];
    const hashes: number[] = [];
    for (let round = 0; round < TRIES; round += 1) {
      disks.push(await measureDisk(directory));
      loopbacks.push(await measureLoopback());
      hashes.push(measureHash());
    }
    const best = (name: keyof DiskRates): number => Math.max(...disks.map((disk) => disk[name]));
    const disk = {
      writeDirect: best("writeDirect"),
      writeBuffered: best("writeBuffered"),
      createFiles: best("createFiles"),
      readCold: best("readCold"),
      readHot: best("readHot"),
    };
    return new Limits(disk, Math.max(...loopbacks), Math.max(...hashes));
  }

  /** Where every copy lies on the same disk, each byte is written that many times. */
  durableWrite(copies: number): Limit {
    const { writeDirect, writeBuffered } = this.#disk;
    const best = Number.isNaN(writeDirect) ? writeBuffered : Math.max(writeDirect, writeBuffered);
    return { name: copies === 1 ? "disk, written" : `disk, written ÷ ${copies}`, value: best / copies };
  }

  coldRead(): Limit {
    return { name: "disk, read", value: this.#disk.readCold };
  }

  loopback(): Limit {
    return { name: "loopback, one connection", value: this.#loopback };
  }

  /** Measured in that very database when it is first asked for. */
  async singleCommits(databaseUrl: string): Promise<Limit> {
    return { name: "database, a row a commit", value: (await this.#commitRates(databaseUrl)).single };
  }

  /** Likewise. */
  async batchedCommits(databaseUrl: string): Promise<Limit> {
    return { name: "database, 256 rows a commit", value: (await this.#commitRates(databaseUrl)).batched };
  }

  /** All that was measured so far. */
  list(): (Limit & { unit: string })[] {
    const { writeDirect, writeBuffered, createFiles, readCold, readHot } = this.#disk;
    const rates = [
      { name: "disk: 4 MiB into recycled space, O_DIRECT, synced at the end", value: writeDirect },
      { name: "disk: 4 MiB into recycled space, buffered, each synced", value: writeBuffered },
      { name: "disk: a new file per 4 MiB, each synced", value: createFiles },
      { name: "disk: 4 MiB read, cold", value: readCold },
      { name: "page cache: 4 MiB read", value: readHot },
      { name: "loopback: one TCP connection, both ends in one process", value: this.#loopback },
      { name: "BLAKE3: 4 MiB, one core", value: this.#hash },
    ];
    const commits = this.#commits && [
      { name: "database: a row a commit, 16 connections", value: this.#commits.single, unit: "/s" },
      { name: "database: 256 rows a commit, 4 connections", value: this.#commits.batched, unit: "/s" },
    ];
    return [...rates.map((rate) => ({ ...rate, unit: "MB/s" })), ...(commits ?? [])];
  }

  async #commitRates(url: string): Promise<CommitRates> {
    return (this.#commits ??= await withDatabase(url, measureCommits));
  }
}
