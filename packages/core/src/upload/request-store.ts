import { randomUUIDv7 } from "node:crypto";
import type { Readable } from "node:stream";
import { inTransaction } from "@holdfast/db";
import { DataStore, type Locker, Upload } from "@tus/utils";
import type pg from "pg";
import { type Actor, overQuota, unclaimedBytes } from "../drive/index.ts";
import { limits } from "../kernel/index.ts";
import { tooLarge, tooLong, UploadError } from "./errors.ts";
import type { Finalised, FinaliseInTurn } from "./finalise.ts";
import { describeUpload } from "./new-upload.ts";
import { receive, type ReceiverParts, type Reception } from "./receive.ts";
import type { ShortSteps } from "./short-steps.ts";
import type { TusRequest } from "./tus-request.ts";
import type { UploadBody } from "./upload-body.ts";
import type { UploadLock, UploadLocks } from "./upload-locks.ts";
import { declareLength, deleteUploads, forgetWholeFile, insertUpload, requireUpload, type UploadRow } from "./upload-row.ts";

const TUS_EXTENSIONS = [
  "creation",
  "creation-with-upload",
  "creation-defer-length",
  "termination",
  "expiration",
  "checksum",
  "concatenation",
];

export interface RequestStoreOptions {
  parts: ReceiverParts;
  locks: UploadLocks;
  shortSteps: ShortSteps;
  finalise: FinaliseInTurn;
  actor: Actor;
  request: TusRequest;
  body: UploadBody;
  /** Called when another request wants this upload. */
  onLeave: () => void;
}

/**
 * The protocol library's data store, for one request: it knows whose request it serves and reads the body from the socket,
 * not from the library's stream, which is empty. Every upload it names is looked up among the actor's own.
 */
export class RequestStore extends DataStore {
  override extensions: string[] = TUS_EXTENSIONS;
  /** The upload as last seen. */
  upload: UploadRow | undefined;
  /** Of the chunks that came with this request. */
  fewestCopies: number;
  readonly #options: RequestStoreOptions;

  constructor(options: RequestStoreOptions) {
    super();
    this.#options = options;
    this.fewestCopies = options.parts.replicator.replicas;
  }

  /** Before any lock is asked for, or a stranger could interrupt an upload by its id. */
  async authorise(uploadId: string): Promise<void> {
    const { request } = this.#options;
    if (request.uploadId === undefined) return; // it is about to be made
    const { role } = await this.#find(uploadId);
    if (request.method === "PATCH" && role === "final") {
      throw new UploadError("upload.is_final", "This upload is made of its parts. Send the bytes to them.");
    }
  }

  override async create(upload: Upload): Promise<Upload> {
    const { actor, request } = this.#options;
    const { metadata, concat } = request;
    const partial = request.role.kind === "partial";
    const target = partial ? { driveId: actor.driveId } : await describeUpload(this.#pool, actor, metadata);
    const role = partial ? "partial" : "whole";
    await inTransaction(this.#pool, (tx) =>
      insertUpload(tx, { ...target, id: upload.id, role, length: upload.size ?? null, metadata, concat }),
    );
    return upload;
  }

  override async getUpload(uploadId: string): Promise<Upload> {
    let row = await this.#find(uploadId);
    if (this.#options.request.method === "HEAD" && row.state === "complete") {
      await this.finish(uploadId);
      row = await this.#find(uploadId);
    }
    if (row.state === "failed") throw new UploadError("upload.failed", row.failure ?? "This upload cannot become a file.");
    return new Upload({
      id: row.id,
      size: row.length ?? undefined,
      offset: row.offset,
      creation_date: new Date(row.expiresAt.getTime() - limits.uploadExpiresAfterMs).toISOString(),
    });
  }

  override async declareUploadLength(uploadId: string, length: number): Promise<void> {
    await inTransaction(this.#pool, (tx) => declareLength(tx, uploadId, length));
    await this.#find(uploadId);
  }

  override async write(emptyStream: Readable, uploadId: string, offset: number): Promise<number> {
    emptyStream.resume();
    const { actor, body, request, parts, shortSteps } = this.#options;
    const { length } = this.upload ?? (await this.#find(uploadId));
    const room = this.#room(uploadId, length, offset);
    const received = await receive(parts, { uploadId, offset, room, body, checksum: request.checksum });
    if (received.offset !== length) shortSteps.count(actor.driveId, received.offset - offset);
    this.fewestCopies = received.fewestCopies;
    return received.offset;
  }

  /** What the upload has become; undefined while it is no file. */
  async finish(uploadId: string): Promise<Finalised | undefined> {
    const { upload } = this;
    if (upload?.state === "committed" && upload.entryId !== null) return { entryId: upload.entryId, isRelocated: false };
    return await this.#options.finalise(this.#options.actor.driveId, uploadId);
  }

  override async remove(uploadId: string): Promise<void> {
    await inTransaction(this.#pool, async (tx) => {
      await deleteUploads(tx, [uploadId]);
      await forgetWholeFile(tx, uploadId);
    });
  }

  override getExpiration(): number {
    return limits.uploadExpiresAfterMs;
  }

  /** The library's lock for one request. Nobody knows a new upload yet, so it needs none. */
  locker(): Locker {
    const { locks, onLeave, request } = this.#options;
    return {
      newLock(uploadId) {
        let lock: UploadLock | undefined;
        return {
          async lock() {
            if (request.uploadId !== undefined) lock = await locks.acquire(uploadId, onLeave);
          },
          unlock: async () => await lock?.release(),
        };
      },
    };
  }

  newId(): string {
    return randomUUIDv7();
  }

  get #pool(): pg.Pool {
    return this.#options.parts.pool;
  }

  /**
   * An upload of unknown length has claimed no more than it has: the rest must fit into what nobody claims, chunk by chunk.
   * Uploads that take the last room at the same moment may have a few chunks too many; their lengths will find none.
   */
  #room(uploadId: string, length: number | null, offset: number): Reception["room"] {
    if (length !== null) return async (takenBytes) => ({ bytes: length - offset - takenBytes, tooMany: tooLong });
    return async (takenBytes) => {
      const forUs = await unclaimedBytes(this.#pool, this.#options.actor.driveId, uploadId); // ours grows while we ask
      const leftBytes = Math.max(0, forUs - offset - takenBytes);
      const mayStillHave = limits.uploadBytesMax - offset - takenBytes;
      if (leftBytes >= mayStillHave) return { bytes: mayStillHave, tooMany: tooLarge };
      return { bytes: leftBytes, tooMany: () => overQuota({ leftBytes }) };
    };
  }

  async #find(uploadId: string): Promise<UploadRow> {
    this.upload = await requireUpload(this.#pool, this.#options.actor, uploadId);
    return this.upload;
  }
}
