import type { Dispatcher } from "undici";
import { viewFor } from "../chunk-store/index.ts";

export interface Answer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}

export interface AnswerOptions {
  /** Where the body goes when it is long enough. */
  into?: Buffer | undefined;
  /** Cuts the request off. */
  signal?: AbortSignal | undefined;
  /** A longer answer is not read. */
  bytesMax: number;
}

/** One request whose answer is collected in one buffer of its length. Rejects with what went wrong on the way. */
export function request(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  { into, signal, bytesMax }: AnswerOptions,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let answer: Answer | undefined;
    let filled = 0;
    let leave = (): void => undefined;

    dispatcher.dispatch(options, {
      onRequestStart(controller) {
        leave = () => controller.abort(signal!.reason as Error);
        if (signal?.aborted) leave();
        else signal?.addEventListener("abort", leave, { once: true });
      },
      onResponseStart(controller, status, headers) {
        if (status < 200) return; // "go on" and its like; the answer follows
        const length = options.method === "HEAD" ? 0 : Number(headers["content-length"] ?? 0);
        if (length > bytesMax) controller.abort(new Error(`the answer has ${length} bytes`));
        else answer = { status, headers, body: viewFor(length, status === 200 ? into : undefined) };
      },
      onResponseData(controller, part) {
        if (answer === undefined || filled + part.length > answer.body.length)
          controller.abort(new Error("the answer is longer than it said"));
        else filled += part.copy(answer.body, filled);
      },
      onResponseEnd() {
        signal?.removeEventListener("abort", leave);
        resolve(answer!);
      },
      onResponseError(_controller, error) {
        signal?.removeEventListener("abort", leave);
        reject(error);
      },
    });
  });
}
