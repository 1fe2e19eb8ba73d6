/** Clocks that jump while their process runs: libfaketime adds to the time what a file of ours says. Durations stay right. */
import { globSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServiceProcess } from "@holdfast/cluster";

/** Where Debian's package and its like put it. */
const LIBRARY = "/usr/lib{,64}/{*/,}faketime/libfaketime.so.1";

/** Throws where it is not installed. */
export function findFakeTime(): string {
  const [library] = globSync(LIBRARY);
  if (library === undefined) throw new Error("libfaketime is not installed");
  return library;
}

export class Clocks {
  readonly #directory: string;
  readonly #library: string;

  constructor(directory: string, library: string) {
    mkdirSync(directory);
    this.#directory = directory;
    this.#library = library;
  }

  /** From its next start on. */
  control(process: ServiceProcess): void {
    this.#set(process.name, 0);
    process.reconfigure({
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file(process.name),
      FAKETIME_CACHE_DURATION: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    });
  }

  /** The process notices within a second. The answer puts it right. */
  jump(name: string, bySeconds: number): () => void {
    this.#set(name, bySeconds);
    return () => this.#set(name, 0);
  }

  #set(name: string, seconds: number): void {
    writeFileSync(this.#file(name), `${seconds < 0 ? "" : "+"}${seconds}s\n`);
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }
}
