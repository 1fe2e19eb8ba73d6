import { type ByteRange, contentRange, totalLength } from "./ranges.ts";

/** The frame around several ranges in one body (RFC 9110, 14.6), with its exact length known beforehand. */
export interface MultipartFrame {
  contentType: string;
  contentLength: number;
  /** What goes before the bytes of each range. */
  heads: Buffer[];
  tail: Buffer;
}

export function multipartFrame(ranges: readonly ByteRange[], sizeBytes: number, mediaType: string, boundary: string): MultipartFrame {
  const heads = ranges.map((range) =>
    Buffer.from(`\r\n--${boundary}\r\nContent-Type: ${mediaType}\r\nContent-Range: ${contentRange(range, sizeBytes)}\r\n\r\n`),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    contentLength: heads.reduce((sum, head) => sum + head.length, tail.length + totalLength(ranges)),
    heads,
    tail,
  };
}
