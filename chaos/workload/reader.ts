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
  folderIds: readonly string[];
}

/** Share of its steps that look at a folder instead of a file. */
const LISTING_SHARE = 0.1;
/** Old files are looked at in the end; what has just changed is where mistakes show. */
const RECENT_FILES = 60;
const LISTING_MAX = 1_000;

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
      if (random.chance(LISTING_SHARE)) await this.#list(random.pick(this.#parts.folderIds));
      else if (known.length > 0) await this.#readAny(random.pick(known.slice(-RECENT_FILES)));
      await delay(random.integer(0, 50));
    }
  }

  async #readAny(file: ExpectedFile): Promise<void> {
    const { random } = this.#parts;
    const length = file.content.sure?.length ?? 0;
    if (length === 0 || random.chance(0.6)) return await this.read(file);
    const from = random.integer(0, length - 1);
    await this.read(file, { from, to: Math.min(length, from + random.integer(1, 512 * KiB)) });
  }

  /** What is surely in a folder is in its list: no outage may look like an empty folder. */
  async #list(parentId: string): Promise<void> {
    const { drive, expectations } = this.#parts;
    const watched = expectations.files
      .filter((file) => file.presence.sure === "visible" && file.folder.sure === parentId)
      .map((file) => ({ file, presence: file.presence.watch(), folder: file.folder.watch() }));
    const result = await drive.query("entries.list", { parentId, limit: LISTING_MAX });
    const settled = watched.map(({ file, presence, folder }) => ({ file, changed: presence().size > 1 || folder().size > 1 }));
    if (result.status === "refused") expectations.violate(`a folder that is there could not be listed: ${result.code}`);
    if (result.status !== "done") return;
    const { items, nextCursor } = result.value as { items: { id: string }[]; nextCursor?: string };
    if (nextCursor !== undefined) return; // too long to be seen whole
    const listed = new Set(items.map(({ id }) => id));
    for (const { file } of settled.filter(({ file, changed }) => !changed && !listed.has(file.entryId!)))
      expectations.violate(`${[...file.name.possible].join(" or ")} is not in the list of its folder`);
  }

  /** Whatever it shows must be what was acknowledged at some moment while it was read. */
  async read(file: ExpectedFile, range?: Range): Promise<void> {
    const { drive, measurements } = this.#parts;
    const contents = file.content.watch();
    const presence = file.presence.watch();
    const startMs = performance.now();
    const headers: Record<string, string> = range === undefined ? {} : { range: `bytes=${range.from}-${range.to - 1}` };
    const response = await drive.open(`/api/files/${file.entryId!}/content`, headers);
    if (isLost(response)) {
      contents();
      presence();
      return;
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
  ): void {
    const { expectations } = this.#parts;
    const name = [...file.name.possible][0]!;
    const { statusCode: status } = response;
    switch (status) {
      case 404:
        if (presence.size === 1 && presence.has("visible"))
          expectations.violate(`404 for ${name}, which is there: ${Buffer.concat(parts).toString().slice(0, 200)}`);
        return;
      case 416: // a shorter version by now
      case 200:
      case 206:
        if (!presence.has("visible")) return expectations.violate(`${name} was read although it is ${[...presence].join(" or ")}`);
        if (status === 206) return this.#compare(name, contents, range!, parts, isWhole);
        if (status === 200) return this.#compare(name, contents, { from: 0, to: Number.POSITIVE_INFINITY }, parts, isWhole);
        return;
      case 500:
        return expectations.violate(`an answer was "internal error": reading ${name}: ${Buffer.concat(parts).toString().slice(0, 300)}`);
      default:
        return; // refused for the moment, which is counted
    }
  }

  #compare(name: string, contents: ReadonlySet<Content>, { from, to }: Range, parts: readonly Buffer[], isWhole: boolean): void {
    const { expectations } = this.#parts;
    const check = new ContentCheck(contents, from);
    for (const part of parts) check.feed(part);
    expectations.bytesVerified += check.length;
    const fits = check.candidates.filter(({ length }) => !isWhole || check.length === Math.min(to, length) - from);
    if (fits.length > 0) return;
    if (check.candidates.length === 0) expectations.wrongBytes += check.length;
    const lengths = [...contents].map(({ length, seed }) => `${length} bytes of ${seed}`).join(" or ");
    expectations.violate(
      `wrong bytes of ${name}: ${check.length} bytes from ${from}${isWhole ? "" : ", then cut off"}, expected ${lengths}`,
    );
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
