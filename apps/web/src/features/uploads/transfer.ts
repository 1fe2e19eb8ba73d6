/** One attempt to upload a file by tus. Whether and when there is another one is the queue's decision. */
import { type DetailedError, type HttpResponse, Upload as TusUpload } from "tus-js-client";
import { type Failure, judge } from "./failures.ts";
import type { StartTransfer } from "./queue.ts";
import type { UploadJob } from "./upload.ts";

const ENDPOINT = "/api/upload";

export const startTransfer: StartTransfer = (job, file, events) => {
  let stopped = false;
  const ifWanted =
    <Args extends unknown[]>(report: (...args: Args) => void) =>
    (...args: Args): void => {
      if (!stopped) report(...args);
    };

  const fail = async (error: Error | DetailedError): Promise<void> => {
    const failure = await explain(error, job, file);
    if (!stopped) events.onFailure(failure);
  };

  const tus = new TusUpload(file, {
    // Without an endpoint a server that is away cannot be mistaken for one that has forgotten the upload.
    endpoint: job.url === undefined ? ENDPOINT : null,
    uploadUrl: job.url,
    chunkSize: Number.POSITIVE_INFINITY,
    // Never with its creation: an answer that is lost then would leave a file behind that nobody knows to be this one.
    uploadDataDuringCreation: false,
    retryDelays: null,
    storeFingerprintForResuming: false,
    metadata: metadataOf(job),
    onUploadUrlAvailable: ifWanted(() => tus.url !== null && events.onUrl(new URL(tus.url, location.href).pathname)),
    onProgress: ifWanted((sentBytes: number) => events.onProgress(sentBytes)),
    onSuccess: ifWanted(({ lastResponse }: { lastResponse: HttpResponse }) =>
      events.onDone({
        entryId: lastResponse.getHeader("Holdfast-Entry-Id"),
        inRoot: lastResponse.getHeader("Holdfast-Placed-In") === "root",
      }),
    ),
    onError: (error) => void fail(error),
  });
  tus.start();

  return {
    stop() {
      stopped = true;
      void tus.abort();
    },
  };
};

/** Tells the server that nobody will send the rest. If that fails, the upload expires there by itself. */
export function discardUpload(url: string): void {
  TusUpload.terminate(url, { retryDelays: null }).catch(() => undefined);
}

/** Whether the server has every byte already: the page closed between the last byte and its answer. */
export async function isFinished(url: string): Promise<boolean> {
  const response = await fetch(url, { method: "HEAD", headers: { "tus-resumable": "1.0.0" } });
  const offset = response.headers.get("upload-offset");
  return response.ok && offset !== null && offset === response.headers.get("upload-length");
}

function metadataOf({ name, folders, parentId, mediaType, conflict }: UploadJob): Record<string, string> {
  return {
    filename: name,
    conflict,
    ...(mediaType && { filetype: mediaType }),
    ...(parentId !== undefined && { parentId }),
    ...(folders && { relativePath: `${folders}/${name}` }),
  };
}

async function explain(error: Error | DetailedError, { url }: UploadJob, file: File): Promise<Failure> {
  const response = "originalResponse" in error ? error.originalResponse : null;
  if (response === null && !(await isReadable(file))) {
    return { next: "give-up", why: "The file changed or moved on this device. Choose it again to upload it." };
  }
  return judge({
    status: response?.getStatus(),
    body: response?.getBody(),
    retryAfter: response?.getHeader("Retry-After"),
    resuming: url !== undefined,
  });
}

/** A browser reports a file that has changed since it was chosen as if the network had failed. */
async function isReadable(file: File): Promise<boolean> {
  return await file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
}
