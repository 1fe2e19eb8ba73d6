import { limits } from "@holdfast/core/kernel";
import { headerOf, type HttpAnswer, HttpPool } from "./http-connection.ts";
import { payload } from "./payload.ts";

const VERSION = { "tus-resumable": "1.0.0" };
const BYTES = { "content-type": "application/offset+octet-stream" };
/** Up to this a file goes with the request that announces it. */
const ONE_REQUEST_BYTES = limits.chunkBytesMax;

export interface TusEndpoint {
  origin: string;
  path: string;
  /** Beside the protocol's own, in every request. */
  headers?: Readonly<Record<string, string>>;
}

/** Uploads of random bytes by tus, as cheap as they can be sent. */
export class TusClient {
  readonly http: HttpPool;
  readonly #endpoint: TusEndpoint;

  constructor(endpoint: TusEndpoint) {
    this.#endpoint = endpoint;
    this.http = new HttpPool(endpoint.origin);
  }

  /** A small file in one request, a larger one in two. Returns the answer to the last byte. */
  async put(name: string, length: number): Promise<HttpAnswer> {
    if (length > ONE_REQUEST_BYTES) return await this.patch(await this.create(name, length), 0, length);
    const headers = { ...this.#announcement(name, length), ...BYTES };
    return await this.http.exchange({ method: "POST", path: this.#endpoint.path, headers, body: { length, parts: payload(length) } }, 201);
  }

  /** Returns the upload's path. */
  async create(name: string, length: number): Promise<string> {
    const headers = { ...this.#announcement(name, length), "content-length": 0 };
    const { head } = await this.http.exchange({ method: "POST", path: this.#endpoint.path, headers }, 201);
    return new URL(headerOf(head, "location")!, this.#endpoint.origin).pathname;
  }

  async patch(path: string, offset: number, length: number): Promise<HttpAnswer> {
    const headers = { ...VERSION, ...this.#endpoint.headers, ...BYTES, "upload-offset": offset };
    return await this.http.exchange({ method: "PATCH", path, headers, body: { length, parts: payload(length) } }, 204);
  }

  #announcement(name: string, length: number): Record<string, string | number> {
    const metadata = `filename ${Buffer.from(name).toString("base64")}`;
    return { ...VERSION, ...this.#endpoint.headers, "upload-length": length, "upload-metadata": metadata };
  }
}
