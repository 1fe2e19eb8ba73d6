/** The Drive as the workload talks to it: every answer has a status or is lost, and nothing waits for ever. */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Answer, DriveClient } from "@holdfast/cluster/testing";
import type { Expectations } from "../expectations.ts";
import type { Measurements } from "../measurements.ts";

/** The longest fault, the longest wait for a lock and some more: what takes longer is not slow but stuck. */
const ANSWER_TIMEOUT_MS = 90_000;

export type Lost = { status: "lost"; why: string };
/** What an API call came to. `refused` is definite: nothing has changed. */
export type CallResult = { status: "done"; value: unknown } | { status: "refused"; code: string } | Lost;

interface TrpcBody {
  result?: { data?: { json?: unknown } };
  error?: { json?: { message?: string; data?: { code?: string; httpStatus?: number } } };
}

export class ChaosDrive {
  readonly #client: DriveClient;
  readonly #expectations: Expectations;
  readonly #measurements: Measurements;

  constructor(client: DriveClient, expectations: Expectations, measurements: Measurements) {
    this.#client = client;
    this.#expectations = expectations;
    this.#measurements = measurements;
  }

  async send(
    method: string,
    path: string,
    headers: Record<string, string | number> = {},
    body?: Buffer | Readable,
  ): Promise<Answer | Lost> {
    const sent = this.#client.send(method, path, headers, body).then((answer) => this.#seen(method, path, answer));
    return await orLost(sent);
  }

  /** For answers whose body the caller wants to see arriving. */
  async open(path: string, headers: Record<string, string | number> = {}): Promise<IncomingMessage | Lost> {
    return await orLost(this.#client.open("GET", path, headers));
  }

  async mutate(procedure: string, input: unknown): Promise<CallResult> {
    const body = Buffer.from(JSON.stringify({ json: input }));
    return resultOf(await this.send("POST", `/api/trpc/${procedure}`, { "content-type": "application/json" }, body));
  }

  async query(procedure: string, input: unknown): Promise<CallResult> {
    return resultOf(await this.send("GET", `/api/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify({ json: input }))}`));
  }

  /** An outage is answered with 503 and its like. "Internal" means that somebody did not know what had happened. */
  #seen(method: string, path: string, answer: Answer): Answer {
    this.#measurements.count(String(answer.status));
    if (answer.status === 500) {
      const place = path.split("?")[0]!.replaceAll(/[0-9a-f-]{36}/g, ":id");
      this.#expectations.violate(`an answer was "internal error": ${method} ${place}: ${answer.body.toString().slice(0, 300)}`);
    }
    return answer;
  }
}

export function isLost(answer: object): answer is Lost {
  return "status" in answer && answer.status === "lost";
}

async function orLost<T>(work: Promise<T>): Promise<T | Lost> {
  const patience = new AbortController();
  const tooLong = delay(ANSWER_TIMEOUT_MS, { status: "lost", why: `no answer within ${ANSWER_TIMEOUT_MS} ms` } as const, {
    signal: patience.signal,
    ref: false,
  });
  try {
    return await Promise.race([work, tooLong]);
  } catch (error) {
    return { status: "lost", why: String(error) };
  } finally {
    patience.abort();
    tooLong.catch(() => undefined); // the patience that was not needed
  }
}

function resultOf(answer: Answer | Lost): CallResult {
  if (isLost(answer)) return answer;
  let body: TrpcBody;
  try {
    body = JSON.parse(answer.body.toString()) as TrpcBody;
  } catch {
    return { status: "lost", why: `${answer.status} without an answer of ours` };
  }
  if (answer.status === 200) return { status: "done", value: body.result?.data?.json };
  const code = body.error?.json?.data?.code ?? String(answer.status);
  if (answer.status < 500) return { status: "refused", code };
  return { status: "lost", why: `${answer.status} ${code}` }; // an error of ours may come after the commit
}
