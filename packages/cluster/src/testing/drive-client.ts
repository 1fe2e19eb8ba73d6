import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { RandomFile } from "./random-file.ts";
import { type Answer, SessionClient } from "./session-client.ts";

const RETRY_PAUSE_MS = 250;

export interface NewUpload {
  filename: string;
  length?: number;
  parentId?: string;
  relativePath?: string;
  conflict?: string;
  filetype?: string;
}

export interface UploadOptions {
  /** How long to go on trying. */
  deadlineMs?: number;
  /** Called with the place in the file that was handed to the connection; faults are triggered from here. */
  onProgress?: (offset: number) => void;
}

/** Uploads and downloads over the Drive's public routes. */
export class DriveClient extends SessionClient {
  /** Returns the upload's path. */
  async createUpload(upload: NewUpload): Promise<string> {
    const { length, ...metadata } = upload;
    const size: Record<string, string | number> = length === undefined ? { "upload-defer-length": 1 } : { "upload-length": length };
    const answer = await this.send("POST", "/api/upload", {
      "tus-resumable": "1.0.0",
      "upload-metadata": encodeMetadata(metadata),
      ...size,
    });
    if (answer.status !== 201) throw new Error(`creating ${upload.filename} answered ${answer.status}: ${answer.body.toString()}`);
    return new URL(answer.headers.location!, this.origin).pathname;
  }

  patch(path: string, offset: number, body: Buffer | Readable, length: number, headers: Record<string, string> = {}): Promise<Answer> {
    const own = {
      "tus-resumable": "1.0.0",
      "upload-offset": offset,
      "content-type": "application/offset+octet-stream",
      "content-length": length,
    };
    return this.send("PATCH", path, { ...own, ...headers }, body);
  }

  head(path: string): Promise<Answer> {
    return this.send("HEAD", path, { "tus-resumable": "1.0.0" });
  }

  /** Uploads the whole file as a patient client would: after any cut or refusal it asks for the offset and goes on. Returns the entry's id. */
  async upload(upload: Omit<NewUpload, "length">, file: RandomFile, options: UploadOptions = {}): Promise<string> {
    const giveUp = performance.now() + (options.deadlineMs ?? 120_000);
    const path = await patiently(giveUp, () => this.createUpload({ ...upload, length: file.length }));
    return patiently(giveUp, () => this.#goOn(path, file, options.onProgress));
  }

  async #goOn(path: string, file: RandomFile, onProgress: UploadOptions["onProgress"]): Promise<string> {
    const { status, headers } = await this.head(path);
    if (status !== 200) throw new Error(`HEAD answered ${status}`);
    const finished = headers["holdfast-entry-id"];
    if (typeof finished === "string") return finished;
    const offset = Number(headers["upload-offset"]);
    const answer = await this.patch(path, offset, reportingStream(file, offset, onProgress), file.length - offset);
    const entryId = answer.headers["holdfast-entry-id"];
    if (typeof entryId !== "string") throw new Error(`PATCH answered ${answer.status}: ${answer.body.toString()}`);
    return entryId;
  }

  /** On how many nodes that are not down each part of the file is at least; null for an empty file. */
  async fewestCopies(entryId: string): Promise<number | null> {
    const { copies } = await this.query<{ copies: { fewest: number | null } }>("entries.details", { id: entryId });
    return copies.fewest;
  }

  /** Downloads the whole file and returns the hex SHA-256 of what arrived. Rejects when the connection breaks. */
  async downloadHash(entryId: string): Promise<string> {
    const response = await this.open("GET", `/api/files/${entryId}/content`);
    if (response.statusCode !== 200) throw new Error(`GET answered ${response.statusCode}: ${(await response.toArray()).join("")}`);
    const hash = createHash("sha256");
    await pipeline(response, hash);
    return hash.digest("hex");
  }
}

function reportingStream(file: RandomFile, offset: number, onProgress: UploadOptions["onProgress"]): Readable {
  const source = file.stream(offset);
  if (onProgress === undefined) return source;
  return Readable.from(
    (async function* report() {
      let at = offset;
      for await (const part of source) {
        onProgress((at += (part as Buffer).length));
        yield part;
      }
    })(),
    { objectMode: false },
  );
}

function encodeMetadata(metadata: Record<string, string | undefined>): string {
  return Object.entries(metadata)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${Buffer.from(value!).toString("base64")}`)
    .join(",");
}

/** Tries until it succeeds or the time is up; then the last failure is the answer. */
async function patiently<T>(giveUp: number, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > giveUp) throw error;
      await delay(RETRY_PAUSE_MS);
    }
  }
}
