/**
 * The tus protocol, by its library, with what the library lacks around it.
 *
 * The library speaks in web requests and responses. It gets a request without a body, because its five stream hops cost
 * more than all our own work on the bytes; the data store reads them from the socket. One small server per request, so
 * that the data store knows whose request it serves without any ambient state.
 */
import { Server } from "@tus/server";
import { ERRORS } from "@tus/utils";
import { limits } from "../kernel/index.ts";
import { badHeader, tooLarge, tooLong, UploadError, uploadNotFound, wrongOffset } from "./errors.ts";
import type { Finalised } from "./finalise.ts";
import type { RequestStore } from "./request-store.ts";
import { type TusRequest, UPLOAD_PATH } from "./tus-request.ts";

/** Resolves with the library's answer. Rejects with whatever went wrong, as a domain's error wherever it is the caller's fault. */
export async function speakTus(request: TusRequest, store: RequestStore): Promise<Response> {
  let failure: unknown;
  const server = new Server({
    path: UPLOAD_PATH,
    datastore: store,
    locker: store.locker(),
    namingFunction: () => store.newId(),
    relativeLocation: true,
    maxSize: limits.uploadBytesMax,
    onIncomingRequest: (_, uploadId) => store.authorise(uploadId),
    onUploadFinish: async (_, { id }) => ({ headers: fileHeaders(await store.finish(id)) }),
    onResponseError: (_, error) => {
      failure = error;
      return undefined;
    },
  });
  const url = `http://holdfast${UPLOAD_PATH}${request.uploadId === undefined ? "" : `/${request.uploadId}`}`;
  const response = await server.handleWeb(new Request(url, { method: request.method, headers: request.headers }));
  if (failure !== undefined) throw translated(failure);
  return response;
}

/** Which file an upload has become, and whether it had to go elsewhere than asked. */
export function fileHeaders(file: Finalised | undefined): Record<string, string> {
  if (file === undefined) return {};
  return { "Holdfast-Entry-Id": file.entryId, ...(file.isRelocated && { "Holdfast-Placed-In": "root" }) };
}

/** The library throws plain objects of its own; each is one of these. */
const LIBRARY_FAULTS = new Map<unknown, () => UploadError>([
  [ERRORS.FILE_NOT_FOUND, uploadNotFound],
  [ERRORS.FILE_NO_LONGER_EXISTS, () => new UploadError("upload.expired", "This upload was left unfinished for too long. Start it again.")],
  [ERRORS.INVALID_OFFSET, wrongOffset],
  [ERRORS.INVALID_LENGTH, () => badHeader("upload-length", "This upload has a length already, or more bytes than that.")],
  [ERRORS.ERR_SIZE_EXCEEDED, tooLong],
  [ERRORS.ERR_MAX_SIZE_EXCEEDED, tooLarge],
]);

function translated(failure: unknown): Error {
  if (failure instanceof Error) return failure;
  return LIBRARY_FAULTS.get(failure)?.() ?? new Error("the tus library failed", { cause: failure });
}
