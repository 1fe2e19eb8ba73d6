import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { type Percentiles, percentilesOf, type TestCluster } from "@holdfast/cluster/testing";
import { MiB } from "@holdfast/core/kernel";

export interface LoadFigures {
  operations: number;
  failed: number;
  read: Percentiles;
  write: Percentiles;
  /** The longest that anybody waited. */
  slowestMs: number;
}

const READ_BYTES = 1 * MiB;
const WRITE_BYTES = 1 * MiB;
const READERS = 2;
const WRITERS = 1;
/** Between two operations of one user. */
const THINKING_MS = 50;

/** A few users who read ranges at random places of some files, and write small files; nothing is tried twice. */
export class ForegroundLoad {
  readonly #owner: TestCluster["owner"];
  readonly #files: readonly string[];
  #reads: number[] = [];
  #writes: number[] = [];
  #failed = 0;
  #running = true;
  readonly #users: Promise<void>[] = [];

  private constructor(owner: TestCluster["owner"], files: readonly string[]) {
    this.#owner = owner;
    this.#files = files;
  }

  static start(owner: TestCluster["owner"], files: readonly string[]): ForegroundLoad {
    const load = new ForegroundLoad(owner, files);
    for (let number = 0; number < READERS; number += 1) load.#users.push(load.#repeat(() => load.#read(), load.#readTimes));
    for (let number = 0; number < WRITERS; number += 1) load.#users.push(load.#repeat(() => load.#write(), load.#writeTimes));
    return load;
  }

  /** Since the last time. */
  takeFigures(): LoadFigures {
    const figures = {
      operations: this.#reads.length + this.#writes.length + this.#failed,
      failed: this.#failed,
      read: percentilesOf(this.#reads),
      write: percentilesOf(this.#writes),
      slowestMs: Math.max(0, ...this.#reads, ...this.#writes),
    };
    this.#reads = [];
    this.#writes = [];
    this.#failed = 0;
    return figures;
  }

  /** They finish what they are at. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#running = false;
    await Promise.all(this.#users);
  }

  readonly #readTimes = (ms: number): void => void this.#reads.push(ms);
  readonly #writeTimes = (ms: number): void => void this.#writes.push(ms);

  async #repeat(operation: () => Promise<void>, took: (ms: number) => void): Promise<void> {
    while (this.#running) {
      const start = performance.now();
      try {
        await operation();
        took(performance.now() - start);
      } catch {
        this.#failed += 1; // that is what is counted here
      }
      await delay(THINKING_MS);
    }
  }

  async #read(): Promise<void> {
    const entryId = this.#files[Math.floor(Math.random() * this.#files.length)]!;
    const from = Math.floor(Math.random() * 200) * READ_BYTES;
    const response = await this.#owner.open("GET", `/api/files/${entryId}/content`, { range: `bytes=${from}-${from + READ_BYTES - 1}` });
    let bytes = 0;
    for await (const part of response) bytes += (part as Buffer).length;
    if (response.statusCode !== 206 || bytes !== READ_BYTES) throw new Error(`a read ended with ${response.statusCode} and ${bytes} bytes`);
  }

  async #write(): Promise<void> {
    const path = await this.#owner.createUpload({ filename: `load-${randomBytes(6).toString("hex")}`, length: WRITE_BYTES });
    const { status } = await this.#owner.patch(path, 0, randomBytes(WRITE_BYTES), WRITE_BYTES);
    if (status !== 204) throw new Error(`a write ended with ${status}`);
  }
}
