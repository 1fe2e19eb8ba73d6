import type { IncomingMessage } from "node:http";
import { KiB } from "../kernel/index.ts";
import { HttpEdgeError } from "./errors.ts";

const BODY_BYTES_MAX = 64 * KiB;

/** The small JSON body of a request, whatever it says; none is undefined. Rejects with `request.invalid`. */
export async function readJson(req: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of req as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > BODY_BYTES_MAX) throw new HttpEdgeError("request.invalid", `Send at most ${BODY_BYTES_MAX} bytes here.`);
    parts.push(part);
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch (cause) {
    throw new HttpEdgeError("request.invalid", "The body is no JSON.", {}, { cause });
  }
}
