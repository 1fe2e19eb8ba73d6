/** Decides what to answer to a request for a file's bytes, before any of them is read. Pure. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Content } from "../drive/index.ts";
import { limits } from "../kernel/index.ts";
import { contentHeaders } from "./content-headers.ts";
import { DownloadError } from "./errors.ts";
import { multipartFrame } from "./multipart.ts";
import { judgePreconditions, rangeApplies, type Validators } from "./preconditions.ts";
import { type ByteRange, contentRange, parseRanges } from "./ranges.ts";

export interface ContentRequest {
  method: string;
  headers: IncomingHttpHeaders;
  /** A file to save, even where it could be shown. */
  asDownload: boolean;
  /** For an answer of several parts; must not occur twice. */
  boundary: string;
}

export interface Answer {
  status: 200 | 206 | 304;
  headers: OutgoingHttpHeaders;
  /** The body, in order. `head` frames the part's bytes. */
  parts: { head?: Buffer; range: ByteRange }[];
  tail?: Buffer;
}

/** Throws `content.changed` or `range.not_satisfiable`. A HEAD is answered like the GET of the whole file, without a body. */
export function planAnswer({ method, headers, asDownload, boundary }: ContentRequest, content: Content): Answer {
  const { versionId, sizeBytes, modifiedAt } = content;
  const current: Validators = { etag: `"${versionId}"`, modifiedAt };
  const caching = { etag: current.etag, "last-modified": modifiedAt.toUTCString(), "cache-control": "private, no-cache" };
  switch (judgePreconditions(headers, current)) {
    case "changed":
      throw new DownloadError("content.changed", "The file has changed since you last saw it. Load it again.");
    case "not-modified":
      return { status: 304, headers: caching, parts: [] };
    case "send": {
      const described = { ...caching, "accept-ranges": "bytes", ...contentHeaders(content, asDownload) };
      const range = method === "GET" && rangeApplies(headers, current) ? headers.range : undefined;
      const answer = planBody(range, sizeBytes, described, boundary);
      return method === "HEAD" ? { ...answer, parts: [], tail: undefined } : answer;
    }
  }
}

function planBody(header: string | undefined, sizeBytes: number, described: Record<string, string>, boundary: string): Answer {
  const request = parseRanges(header, sizeBytes, limits.downloadRangesMax);
  switch (request.kind) {
    case "unsatisfiable":
      throw new DownloadError("range.not_satisfiable", `The file has ${sizeBytes} bytes; the range asked for lies outside.`, { sizeBytes });
    case "whole": {
      const parts = sizeBytes === 0 ? [] : [{ range: { offset: 0, length: sizeBytes } }];
      return { status: 200, headers: { ...described, "content-length": sizeBytes }, parts };
    }
    case "partial":
      return planPartial(request.ranges, sizeBytes, described, boundary);
  }
}

function planPartial(ranges: ByteRange[], sizeBytes: number, described: Record<string, string>, boundary: string): Answer {
  const [range, another] = ranges;
  if (another === undefined) {
    const headers = { ...described, "content-length": range!.length, "content-range": contentRange(range!, sizeBytes) };
    return { status: 206, headers, parts: [{ range: range! }] };
  }
  const frame = multipartFrame(ranges, sizeBytes, described["content-type"]!, boundary);
  return {
    status: 206,
    headers: { ...described, "content-length": frame.contentLength, "content-type": frame.contentType },
    parts: ranges.map((part, index) => ({ head: frame.heads[index], range: part })),
    tail: frame.tail,
  };
}
