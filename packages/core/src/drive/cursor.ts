import type { z } from "zod";
import { DriveError } from "./errors.ts";

/** Turns a place in a listing into text for its reader to hand back. Opaque to them, but not a secret: it grants nothing. */
export function encodeCursor(place: object): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

/** Rejects with `cursor.invalid` for anything that does not have the shape. */
export function decodeCursor<Shape extends z.ZodType>(shape: Shape, cursor: string): z.output<Shape> {
  const place = shape.safeParse(parseJson(Buffer.from(cursor, "base64url").toString()));
  if (!place.success) throw new DriveError("cursor.invalid", "This page of the list is not known. Start from its beginning.");
  return place.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no shape accepts it
  }
}
