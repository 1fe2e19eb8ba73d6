/**
 * A person at work: uploads, replaces, renames, moves, trashes and deletes files of their own, one after the other.
 *
 * Each change is in the ledger before it is asked for, and in the expectations as something that may be true from then
 * on. A file whose answer was lost is left alone from then on: its late effect must not be mistaken for another's.
 */
import { setTimeout as delay } from "node:timers/promises";
import { KiB, MiB } from "@holdfast/core/kernel";
import { type Content, ExpectedFile, type Expectations, makeContent } from "../expectations.ts";
import type { Ledger, Outcome } from "../ledger.ts";
import type { Measurements } from "../measurements.ts";
import type { Random } from "../random.ts";
import type { CallResult, ChaosDrive } from "./drive.ts";
import { ChaosTransfer, type Transfer, type TransferResult } from "./transfer.ts";

const PATIENCE_MS = 60_000;
const RETRY_PAUSE_MS = 250;
const FILES_AT_START = 3;
const TOGETHER_MAX = 12;
const SMALL_BYTES_MAX = 4 * KiB;
const WHOLE_BYTES_MAX = 4 * MiB;
/** More than these, and the oldest go first, so that a long run does not fill the disk. */
const BYTES_KEPT_MAX = 96 * MiB;

export interface WriterParts {
  name: string;
  /** Where its files are; the first one takes what is new. */
  folderIds: readonly string[];
  drive: ChaosDrive;
  expectations: Expectations;
  ledger: Ledger;
  measurements: Measurements;
  random: Random;
  fileBytesMax: number;
}

type Change = (file: ExpectedFile) => Promise<void>;

export class Writer {
  readonly files: ExpectedFile[] = [];
  readonly #parts: WriterParts;
  readonly #contents: Content[] = [];
  /** Files that were uploaded at one moment. */
  readonly #dropped: ExpectedFile[][] = [];
  #made = 0;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** A few files before any fault, so that there is something to lose. */
  async warmUp(): Promise<void> {
    for (let made = 0; made < FILES_AT_START; made += 1) await this.#uploadNew();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#step();
      await delay(this.#parts.random.integer(0, 100));
    }
  }

  async #step(): Promise<void> {
    const { random } = this.#parts;
    const free = this.files.filter((file) => !file.isFrozen);
    const visible = free.filter(({ presence }) => presence.sure === "visible");
    const trashed = free.filter(({ presence }) => presence.sure === "trashed");
    const kept = [...visible, ...trashed].flatMap(({ acked }) => acked).reduce((sum, { length }) => sum + length, 0);
    if (kept > BYTES_KEPT_MAX && trashed.length > 0) return await this.#deleteForever(trashed[0]!);
    if (kept > BYTES_KEPT_MAX && visible.length > 0) return await this.#trash(visible[0]!);
    const change = this.#pickChange(visible, trashed);
    if (change === undefined) return await this.#uploadSome();
    await change.change(random.pick(change.files));
  }

  /** Undefined for an upload. */
  #pickChange(visible: ExpectedFile[], trashed: ExpectedFile[]): { change: Change; files: ExpectedFile[] } | undefined {
    const { random } = this.#parts;
    const changes: [weight: number, change: Change, files: ExpectedFile[]][] = [
      [15, (file) => this.#replace(file), visible],
      [10, (file) => this.#rename(file), visible],
      [10, (file) => this.#move(file), visible],
      [12, (file) => this.#trash(file), visible],
      [8, (file) => this.#restore(file), trashed],
      [12, (file) => this.#deleteForever(file), trashed],
      [8, (file) => this.#clearOut(file), visible.filter((file) => this.#dropped.some((files) => files.includes(file)))],
    ];
    let drawn = random.integer(1, 100);
    for (const [weight, change, files] of changes) {
      drawn -= weight;
      if (drawn <= 0) return files.length > 0 ? { change, files } : undefined;
    }
    return undefined;
  }

  /** Often several small ones at one moment, as when a folder is dropped: they share chunks. */
  async #uploadSome(): Promise<void> {
    const { random } = this.#parts;
    if (random.chance(0.6)) return void (await this.#uploadNew());
    const together = Array.from({ length: random.integer(2, TOGETHER_MAX) }, () =>
      this.#uploadNew({ bytesMax: SMALL_BYTES_MAX, together: true }),
    );
    this.#dropped.push(await Promise.all(together));
  }

  /** Of what was dropped together only one file stays, and has its chunk for itself in the end. */
  async #clearOut(kept: ExpectedFile): Promise<void> {
    const place = this.#dropped.findIndex((files) => files.includes(kept));
    const [dropped = []] = place < 0 ? [] : this.#dropped.splice(place, 1);
    for (const file of dropped.filter((each) => each !== kept)) {
      if (!file.isFrozen && file.presence.sure === "visible") await this.#trash(file);
      if (!file.isFrozen && file.presence.sure === "trashed") await this.#deleteForever(file);
    }
  }

  async #uploadNew({ bytesMax = this.#parts.fileBytesMax, together = false } = {}): Promise<ExpectedFile> {
    const { name: who, folderIds, expectations } = this.#parts;
    const name = this.#freshName();
    const content = this.#content(`${who}/${name}`, bytesMax);
    const file = new ExpectedFile(name, folderIds[0]!, content);
    this.files.push(file);
    expectations.files.push(file);
    const number = this.#parts.ledger.begin({ kind: "upload", file: name, wants: { sha256: content.sha256, bytes: content.length } });
    file.presence.mayBecome("visible");
    const result = await this.#transfer({ content, name, folderId: folderIds[0]!, conflict: "keep-both", together });
    this.#end(number, result);
    if (result.outcome === "acked") {
      file.entryId = result.entryId;
      file.acked.push(content);
      file.presence.is("visible");
    } else if (result.outcome === "failed") {
      file.presence.is("gone");
    } else {
      file.isFrozen = true;
      file.unsure.push(content);
    }
    return file;
  }

  async #replace(file: ExpectedFile): Promise<void> {
    const { expectations, ledger } = this.#parts;
    const [name, folderId] = [file.name.sure!, file.folder.sure!];
    this.#made += 1;
    const content = this.#content(`${name} again ${this.#made}`);
    const before = file.content.sure!;
    const number = ledger.begin({ kind: "replace", file: name, wants: { sha256: content.sha256, bytes: content.length } });
    file.content.mayBecome(content);
    const result = await this.#transfer({ content, name, folderId, conflict: "replace", together: false });
    this.#end(number, result);
    if (result.outcome === "acked") {
      if (result.entryId !== file.entryId) expectations.violate(`a new version of ${name} became another file (${result.entryId})`);
      file.content.is(content);
      file.acked.push(content);
    } else if (result.outcome === "failed") {
      file.content.is(before);
    } else {
      file.isFrozen = true;
      file.unsure.push(content);
    }
  }

  async #rename(file: ExpectedFile): Promise<void> {
    const name = this.#freshName();
    file.name.mayBecome(name);
    await this.#change("rename", file, { name }, () => this.#parts.drive.mutate("entries.rename", { id: file.entryId, name }), {
      onDone: () => file.name.is(name),
    });
  }

  async #move(file: ExpectedFile): Promise<void> {
    const parentId = this.#parts.random.pick(this.#parts.folderIds);
    file.folder.mayBecome(parentId);
    await this.#change("move", file, { parentId }, () => this.#parts.drive.mutate("entries.move", { ids: [file.entryId], parentId }), {
      onDone: () => file.folder.is(parentId),
    });
  }

  async #trash(file: ExpectedFile): Promise<void> {
    file.presence.mayBecome("trashed");
    await this.#change("trash", file, {}, () => this.#parts.drive.mutate("entries.trash", { ids: [file.entryId] }), {
      onDone: () => file.presence.is("trashed"),
      onRepeatRefused: () => file.presence.is("trashed"), // it is not where it could be trashed any more
    });
  }

  async #restore(file: ExpectedFile): Promise<void> {
    file.presence.mayBecome("visible");
    await this.#change("restore", file, {}, () => this.#parts.drive.mutate("entries.restore", { ids: [file.entryId] }), {
      onDone: () => file.presence.is("visible"),
      onRepeatRefused: () => file.presence.is("visible"),
    });
  }

  async #deleteForever(file: ExpectedFile): Promise<void> {
    file.presence.mayBecome("gone");
    await this.#change("delete forever", file, {}, () => this.#parts.drive.mutate("entries.deleteForever", { ids: [file.entryId] }), {
      onDone: () => file.presence.is("gone"),
      onRepeatRefused: () => file.presence.is("gone"),
    });
  }

  /** Repeats a lost call for as long as somebody would: not at all, or patiently. */
  async #change(
    kind: string,
    file: ExpectedFile,
    wants: Record<string, string>,
    call: () => Promise<CallResult>,
    { onDone, onRepeatRefused }: { onDone: () => void; onRepeatRefused?: () => void },
  ): Promise<void> {
    const { ledger, expectations, measurements } = this.#parts;
    const number = ledger.begin({ kind, file: [...file.name.possible][0]!, wants: { ...wants, entryId: file.entryId! } });
    const startMs = performance.now();
    const giveUp = startMs + this.#patienceMs();
    for (let attempt = 1; ; attempt += 1) {
      const result = await call();
      if (result.status === "done" || (result.status === "refused" && attempt > 1 && onRepeatRefused !== undefined)) {
        if (result.status === "done") onDone();
        else onRepeatRefused!();
        measurements.add("change", startMs);
        return ledger.end(number, "acked");
      }
      if (result.status === "refused") {
        file.isFrozen = true;
        ledger.end(number, "failed", result.code);
        return expectations.violate(`${kind} of ${[...file.name.possible].join(" or ")} was refused with ${result.code}`);
      }
      if (performance.now() > giveUp) {
        file.isFrozen = true;
        return ledger.end(number, "unknown", result.why);
      }
      await delay(RETRY_PAUSE_MS);
    }
  }

  async #transfer({ together, ...wanted }: Omit<Transfer, "comesWhole" | "patienceMs"> & { together: boolean }): Promise<TransferResult> {
    const { drive, expectations, random, measurements } = this.#parts;
    const { content } = wanted;
    const startMs = performance.now();
    const comesWhole = content.length > 0 && content.length <= WHOLE_BYTES_MAX && (together || random.chance(0.6));
    const transfer = { ...wanted, comesWhole, patienceMs: this.#patienceMs() };
    const result = await new ChaosTransfer(drive, expectations, random, transfer).run();
    if (result.outcome === "acked") measurements.add(content.length <= MiB ? "upload up to 1 MiB" : "upload over 1 MiB", startMs);
    return result;
  }

  #end(number: number, result: TransferResult): void {
    const outcome: Outcome = result.outcome;
    this.#parts.ledger.end(number, outcome, "why" in result ? result.why : undefined);
  }

  #patienceMs(): number {
    return this.#parts.random.chance(0.8) ? PATIENCE_MS : 0;
  }

  #freshName(): string {
    this.#made += 1;
    return `${this.#parts.name} file ${this.#made}.bin`;
  }

  /** New bytes mostly; now and then bytes that were there before, deleted or not, so that references come back to old chunks. */
  #content(seed: string, bytesMax = this.#parts.fileBytesMax): Content {
    const { random } = this.#parts;
    const earlier = this.#contents.filter(({ length }) => length <= bytesMax);
    if (earlier.length > 0 && random.chance(0.15)) return random.pick(earlier);
    const content = makeContent(seed, fileBytes(random, bytesMax));
    this.#contents.push(content);
    return content;
  }
}

/** Small ones mostly, as people's files are; empty ones and the biggest do come. */
function fileBytes(random: Random, bytesMax: number): number {
  if (random.chance(0.05)) return 0;
  const max = random.pick([KiB, 64 * KiB, MiB, 4 * MiB, bytesMax]);
  return random.integer(1, Math.min(max, bytesMax));
}
