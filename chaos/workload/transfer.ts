/**
 * One upload as a hapless client does it: in pieces of any size, cut off in the middle, asked for, gone on with; or all at once
 * with its announcement, and then there is nothing to ask for.
 *
 * It holds the gateway to its word: an offset that was told is never taken back, and an upload that was made is there
 * until it is a file.
 */
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Content, Expectations } from "../expectations.ts";
import type { Random } from "../random.ts";
import { type ChaosDrive, isLost } from "./drive.ts";

const RETRY_PAUSE_MS = 250;
const PIECE_BYTES = 64 * 1024;
const BODY_TYPE = "application/offset+octet-stream";
const TUS = { "tus-resumable": "1.0.0" };

export interface Transfer {
  content: Content;
  name: string;
  folderId: string;
  conflict: "keep-both" | "replace";
  /** Sent with its announcement. Without an answer nobody knows what became of it. */
  comesWhole: boolean;
  /** How long to go on trying after the first attempt. */
  patienceMs: number;
}

/** `unknown` only if the last byte may have been taken, and with it the file made. */
export type TransferResult = { outcome: "acked"; entryId: string } | { outcome: "failed" | "unknown"; why: string };

type Step = { entryId: string } | { why: string; isFatal?: boolean };

export class ChaosTransfer {
  readonly #drive: ChaosDrive;
  readonly #expectations: Expectations;
  readonly #random: Random;
  readonly #transfer: Transfer;
  /** Made known to us by the gateway, and so durable. */
  #offset = 0;
  #lastByteSent = false;

  constructor(drive: ChaosDrive, expectations: Expectations, random: Random, transfer: Transfer) {
    this.#drive = drive;
    this.#expectations = expectations;
    this.#random = random;
    this.#transfer = transfer;
  }

  async run(): Promise<TransferResult> {
    if (this.#transfer.comesWhole) return await this.#sendWhole();
    const giveUp = performance.now() + this.#transfer.patienceMs;
    const made = await this.#create(giveUp);
    if ("why" in made) return { outcome: this.#lastByteSent ? "unknown" : "failed", why: made.why };
    if (made.entryId !== undefined) return { outcome: "acked", entryId: made.entryId };
    for (;;) {
      const step = await this.#goOn(made.path);
      if ("entryId" in step) return { outcome: "acked", entryId: step.entryId };
      if (step.isFatal || performance.now() > giveUp) return { outcome: this.#lastByteSent ? "unknown" : "failed", why: step.why };
      await delay(RETRY_PAUSE_MS);
    }
  }

  /** Only when too few nodes took its bytes is it sure that there is no file. */
  async #sendWhole(): Promise<TransferResult> {
    const { content } = this.#transfer;
    const headers = { ...this.#announcement(), "content-type": BODY_TYPE, "content-length": content.length };
    const answer = await this.#drive.send("POST", "/api/upload", headers, content.file.bytes(0, content.length));
    if (isLost(answer)) return { outcome: "unknown", why: answer.why };
    const entryId = entryIdOf(answer.headers);
    if (answer.status === 201 && entryId !== undefined) return { outcome: "acked", entryId };
    const why = `${answer.status}: ${answer.body.toString()}`;
    return { outcome: why.includes('"cluster.') ? "failed" : "unknown", why };
  }

  #announcement(): Record<string, string | number> {
    const { content, name, folderId, conflict } = this.#transfer;
    return {
      ...TUS,
      "upload-length": content.length,
      "upload-metadata": metadata({ filename: name, parentId: folderId, conflict }),
    };
  }

  async #create(giveUp: number): Promise<{ path: string; entryId: string | undefined } | { why: string }> {
    const { content } = this.#transfer;
    const headers = this.#announcement();
    for (;;) {
      this.#lastByteSent = content.length === 0; // nothing is missing from the start
      const answer = await this.#drive.send("POST", "/api/upload", headers);
      if (!isLost(answer) && answer.status === 201) {
        return { path: new URL(answer.headers.location!, "http://drive").pathname, entryId: entryIdOf(answer.headers) };
      }
      const why = isLost(answer) ? answer.why : `${answer.status}: ${answer.body.toString()}`;
      // Asked for twice, an empty file could be made twice.
      if (this.#lastByteSent || performance.now() > giveUp) return { why };
      await delay(RETRY_PAUSE_MS);
    }
  }

  async #goOn(path: string): Promise<Step> {
    const asked = await this.#drive.send("HEAD", path, TUS);
    if (isLost(asked)) return asked;
    if (asked.status === 404 || asked.status === 410) {
      this.#expectations.violate(`an upload that was made is not there any more: HEAD of ${this.#transfer.name} answered ${asked.status}`);
      return { why: `HEAD answered ${asked.status}`, isFatal: true };
    }
    if (asked.status !== 200) return { why: `HEAD answered ${asked.status}` };
    const entryId = entryIdOf(asked.headers);
    if (entryId !== undefined) return { entryId };
    const offset = Number(asked.headers["upload-offset"]);
    this.#keepTo(offset);
    return offset === this.#transfer.content.length ? { why: "every byte is there, but no file yet" } : await this.#sendPiece(path, offset);
  }

  async #sendPiece(path: string, offset: number): Promise<Step> {
    const { content } = this.#transfer;
    const rest = content.length - offset;
    const length = this.#random.chance(0.5) ? rest : this.#random.integer(1, rest);
    const cutAt = this.#random.chance(0.15) ? this.#random.integer(0, length - 1) : undefined;
    if (length === rest) this.#lastByteSent = true;
    const body = Readable.from(pieces(content, offset, length, cutAt), { objectMode: false });
    const headers = {
      ...TUS,
      "upload-offset": offset,
      "content-type": BODY_TYPE,
      "content-length": length,
    };
    const answer = await this.#drive.send("PATCH", path, headers, body);
    if (isLost(answer)) return answer;
    const entryId = entryIdOf(answer.headers);
    if (entryId !== undefined) return { entryId };
    if (answer.status === 204) this.#keepTo(Number(answer.headers["upload-offset"]));
    return { why: `PATCH answered ${answer.status}: ${answer.body.toString()}` };
  }

  #keepTo(offset: number): void {
    if (offset < this.#offset) {
      this.#expectations.violate(`an upload went back from ${this.#offset} acknowledged bytes to ${offset}: ${this.#transfer.name}`);
    }
    this.#offset = offset;
  }
}

/** Breaks off at `cutAt`, as a client does that loses its network. */
function* pieces({ file }: Content, offset: number, length: number, cutAt = length): Generator<Buffer> {
  const end = offset + cutAt;
  for (let at = offset; at < end; at += PIECE_BYTES) yield file.bytes(at, Math.min(at + PIECE_BYTES, end));
  if (cutAt < length) throw new Error("the client lost its network");
}

function entryIdOf(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined {
  const id = headers["holdfast-entry-id"];
  return typeof id === "string" ? id : undefined;
}

function metadata(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString("base64")}`)
    .join(",");
}
