import type { IncomingMessage, ServerResponse } from "node:http";

export interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  /** What stands in the place of `:id`; empty for a path without one. */
  parameter: string;
  query: URLSearchParams;
  /** Aborted when the client is gone. */
  gone: AbortSignal;
}

export interface Route {
  method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Fixed segments, and at most one `:id`. */
  path: string;
  /** `loopback`: from this machine without a signature, from elsewhere with one. */
  access: "anyone" | "loopback" | "cluster";
  serve(exchange: Exchange): Promise<void>;
}

/** The parameter (or an empty text) when `path` fits the pattern, else undefined. Nothing is decoded: no id has anything to decode. */
export function matchPath(pattern: string, path: string): string | undefined {
  const wanted = pattern.split("/");
  const given = path.split("/");
  const fits = wanted.length === given.length && wanted.every((segment, index) => segment === ":id" || segment === given[index]);
  if (!fits) return undefined;
  const place = wanted.indexOf(":id");
  return place === -1 ? "" : given[place];
}
