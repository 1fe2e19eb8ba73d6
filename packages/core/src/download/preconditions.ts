/** Conditional requests as RFC 9110 has them (section 13). Pure. */
import type { IncomingHttpHeaders } from "node:http";

/** What the file is now. */
export interface Validators {
  /** Strong, with its quotes. */
  etag: string;
  /** HTTP dates have whole seconds, so this is compared as such. */
  modifiedAt: Date;
}

export type Verdict = "send" | "not-modified" | "changed";

/** In the order of section 13.2.2; an entity tag outweighs a date. */
export function judgePreconditions(headers: IncomingHttpHeaders, current: Validators): Verdict {
  const { "if-match": ifMatch, "if-none-match": ifNoneMatch } = headers;
  if (ifMatch !== undefined) {
    if (!lists(ifMatch, current.etag)) return "changed";
  } else if (isAfter(current.modifiedAt, headers["if-unmodified-since"])) {
    return "changed";
  }
  if (ifNoneMatch !== undefined) return lists(weakly(ifNoneMatch), current.etag) ? "not-modified" : "send";
  return isNotAfter(current.modifiedAt, headers["if-modified-since"]) ? "not-modified" : "send";
}

/** Whether the Range header counts: If-Range is absent, or names exactly what the file is now. */
export function rangeApplies({ "if-range": ifRange }: IncomingHttpHeaders, current: Validators): boolean {
  if (typeof ifRange !== "string" || ifRange.trim() === current.etag) return true;
  return seconds(Date.parse(ifRange)) === seconds(current.modifiedAt.getTime());
}

function lists(header: string, etag: string): boolean {
  return header.split(",").some((item) => item.trim() === "*" || item.trim() === etag);
}

/** If-None-Match compares weakly: a proxy that compressed our answer made the tag weak. */
function weakly(header: string): string {
  return header.replaceAll("W/", "");
}

function isAfter(date: Date, header: string | undefined): boolean {
  return header !== undefined && seconds(date.getTime()) > seconds(Date.parse(header)); // NaN: not a date, ignored
}

function isNotAfter(date: Date, header: string | undefined): boolean {
  return header !== undefined && seconds(date.getTime()) <= seconds(Date.parse(header));
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000);
}
