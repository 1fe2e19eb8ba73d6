/** Somebody who reads all the time, whole files, ranges and lists, and compares every byte with what was acknowledged. */
import type { IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { KiB } from "@holdfast/core/kernel";
import { type Content, ContentCheck, type ExpectedFile, type Expectations, type Presence } from "../expectations.ts";
import type { Ledger } from "../ledger.ts";
import type { Measurements } from "../measurements.ts";
import type { Random } from "../random.ts";
import { type ChaosDrive, isLost } from "./drive.ts";

export interface ReaderParts {
  drive: ChaosDrive;
  expectations: Expectations;
  ledger: Ledger;
  measurements: Measurements;
  random: Random;
}

interface Range {
  from: number;
  /** Exclusive. */
  to: number;
}

export class Reader {
  readonly #parts: ReaderParts;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { random, expectations } = this.#parts;
    while (!signal.aborted) {
      const known = expectations.files.filter(({ entryId }) => entryId !== undefined);
      if (known.length > 0) await this.#readAny(random.pick(known.slice(-60)));
      await delay(random.integer(0, 50));
    }
  }

  async #readAny(file: ExpectedFile): Promise<void> {
    const { random } = this.#parts;
    const length = file.content.sure?.length ?? 0;
    if (length === 0 || random.chance(0.6)) return void (await this.read(file));
    const from = random.integer(0, length - 1);
    await this.read(file, { from, to: Math.min(length, from + random.integer(1, 512 * KiB)) });
  }

  /** Returns what the answer was, in a word. Whatever it shows must be what was acknowledged at some moment while it was read. */
  async read(file: ExpectedFile, range?: Range): Promise<"whole" | "absent" | "unavailable" | "cut off" | "wrong"> {
    const { drive, measurements } = this.#parts;
    const contents = file.content.watch();
    const presence = file.presence.watch();
    const startMs = performance.now();
    const headers: Record<string, string> = range === undefined ? {} : { range: `bytes=${range.from}-${range.to - 1}` };
    const response = await drive.open(`/api/files/${file.entryId!}/content`, headers);
    if (isLost(response)) {
      contents();
      presence();
      return "cut off";
    }
    measurements.count(String(response.statusCode));
    measurements.add(response.statusCode! < 300 ? "first byte of a read" : "refusal of a read", startMs);
    const arrived = await gather(response);
    return this.#judge(file, range, response, arrived, contents(), presence());
  }

  #judge(
    file: ExpectedFile,
    range: Range | undefined,
    response: IncomingMessage,
    { parts, isWhole }: Arrived,
    contents: ReadonlySet<Content>,
    presence: ReadonlySet<Presence>,
  ): "whole" | "absent" | "unavailable" | "cut off" | "wrong" {
    const { expectations } = this.#parts;
    const name = [...file.name.possible][0]!;
    const { statusCode: status } = response;
    switch (status) {
      case 404:
        if (presence.size === 1 && presence.has("visible")) {
          expectations.violate(`404 for ${name}, which is there: ${Buffer.concat(parts).toString().slice(0, 200)}`);
          return "wrong";
        }
        return "absent";
      case 416:
      case 200:
      case 206: {
        if (!presence.has("visible")) {
          expectations.violate(`${name} was read although it is ${[...presence].join(" or ")}`);
          return "wrong";
        }
        if (status === 416) return "absent"; // a shorter version by now
        const from = status === 206 ? range!.from : 0;
        const to = status === 206 ? range!.to : Number.POSITIVE_INFINITY;
        return this.#compare(name, contents, { from, to }, parts, isWhole);
      }
      case 500:
        expectations.violate(`an answer was "internal error": reading ${name}: ${Buffer.concat(parts).toString().slice(0, 300)}`);
        return "wrong";
      default:
        return "unavailable";
    }
  }

  #compare(
    name: string,
    contents: ReadonlySet<Content>,
    { from, to }: Range,
    parts: readonly Buffer[],
    isWhole: boolean,
  ): "whole" | "cut off" | "wrong" {
    const { expectations } = this.#parts;
    const check = new ContentCheck(contents, from);
    for (const part of parts) check.feed(part);
    expectations.bytesVerified += check.length;
    const fits = check.candidates.filter(({ length }) => !isWhole || check.length === Math.min(to, length) - from);
    if (fits.length > 0) return isWhole ? "whole" : "cut off";
    expectations.wrongBytes += check.candidates.length === 0 ? check.length : 0;
    const lengths = [...contents].map(({ length, seed }) => `${length} bytes of ${seed}`).join(" or ");
    expectations.violate(
      `wrong bytes of ${name}: ${check.length} bytes from ${from}${isWhole ? "" : ", then cut off"}, expected ${lengths}`,
    );
    return "wrong";
  }
}

interface Arrived {
  parts: Buffer[];
  /** As much arrived as was announced. */
  isWhole: boolean;
}

async function gather(response: IncomingMessage): Promise<Arrived> {
  const parts: Buffer[] = [];
  try {
    for await (const part of response) parts.push(part as Buffer);
    return { parts, isWhole: response.complete };
  } catch {
    return { parts, isWhole: false }; // what did arrive is judged
  }
}
