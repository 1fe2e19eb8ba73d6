/** What this machine can do at all, measured in the same run as what is held against it, and once for all of it. */
import type { Limit } from "../report/row.ts";
import { type CommitRates, measureCommits, withDatabase } from "./database.ts";
import { type DiskRates, measureDisk } from "./disk.ts";
import { measureHash, measureLoopback } from "./processor.ts";

export class Limits {
  readonly #directory: string;
  #disk: DiskRates | undefined;
  #commits: CommitRates | undefined;
  #loopback: number | undefined;
  #hash: number | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Where every copy lies on the same disk, each byte is written that many times. */
  async durableWrite(copies: number): Promise<Limit> {
    const { writeDirect, writeBuffered } = await this.#diskRates();
    const best = Math.max(writeBuffered, Number.isNaN(writeDirect) ? 0 : writeDirect);
    return { name: copies === 1 ? "disk, written" : `disk, written ÷ ${copies}`, value: best / copies };
  }

  async coldRead(): Promise<Limit> {
    return { name: "disk, read", value: (await this.#diskRates()).readCold };
  }

  async loopback(): Promise<Limit> {
    this.#loopback ??= await measureLoopback();
    return { name: "loopback, one connection", value: this.#loopback };
  }

  async singleCommits(databaseUrl: string): Promise<Limit> {
    return { name: "database, a row a commit", value: (await this.#commitRates(databaseUrl)).single };
  }

  async batchedCommits(databaseUrl: string): Promise<Limit> {
    return { name: "database, 256 rows a commit", value: (await this.#commitRates(databaseUrl)).batched };
  }

  /** All that was measured so far. */
  async list(): Promise<(Limit & { unit: string })[]> {
    const { writeDirect, writeBuffered, createFiles, readCold, readHot } = await this.#diskRates();
    const rates = [
      { name: "disk: 4 MiB into recycled space, O_DIRECT, synced at the end", value: writeDirect },
      { name: "disk: 4 MiB into recycled space, buffered, each synced", value: writeBuffered },
      { name: "disk: a new file per 4 MiB, each synced", value: createFiles },
      { name: "disk: 4 MiB read, cold", value: readCold },
      { name: "page cache: 4 MiB read", value: readHot },
      { name: "loopback: one TCP connection, both ends in one process", value: (await this.loopback()).value },
      { name: "BLAKE3: 4 MiB, one core", value: (this.#hash ??= measureHash()) },
    ];
    const commits = this.#commits && [
      { name: "database: a row a commit, 16 connections", value: this.#commits.single, unit: "/s" },
      { name: "database: 256 rows a commit, 4 connections", value: this.#commits.batched, unit: "/s" },
    ];
    return [...rates.map((rate) => ({ ...rate, unit: "MB/s" })), ...(commits ?? [])];
  }

  async #diskRates(): Promise<DiskRates> {
    return (this.#disk ??= await measureDisk(this.#directory));
  }

  async #commitRates(url: string): Promise<CommitRates> {
    return (this.#commits ??= await withDatabase(url, measureCommits));
  }
}
