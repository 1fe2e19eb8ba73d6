/**
 * What a file or folder may be called: the same rule for every door.
 *
 * As permissive as the file systems people come from, so that what was uploaded comes back under its own name: emoji,
 * right-to-left scripts, leading and trailing spaces and dots are kept. Refused is only what could be taken for a path or
 * break a header or a terminal. Names are compared composed (NFC): a Mac and a PC write the same "é" differently.
 */
import { limits } from "../kernel/index.ts";
import { DriveError } from "./errors.ts";

export type EntryName = string & { readonly __brand: "EntryName" };

/** Room kept for the number that tells two equal names apart, up to " (999999)". */
const NUMBER_BYTES = 9;
/** A longer tail after the last dot is part of the name, not an extension. */
const EXTENSION_BYTES_MAX = 32;

/** Rejects with `name.invalid` or `name.too_long`. */
export function parseEntryName(text: string): EntryName {
  const name = text.normalize("NFC");
  const fault = nameFault(name);
  if (fault !== undefined) throw new DriveError("name.invalid", fault, { name: text.toWellFormed() });
  if (Buffer.byteLength(name) > limits.entryNameBytesMax) {
    throw new DriveError("name.too_long", `This name is too long. Use at most ${limits.entryNameBytesMax} bytes.`, {
      name: text,
      bytesMax: limits.entryNameBytesMax,
    });
  }
  return name as EntryName;
}

function nameFault(name: string): string | undefined {
  if (name.trim() === "") return "A name needs at least one character that can be seen.";
  if (name === "." || name === "..") return `"${name}" cannot be a name. Choose another one.`;
  if (name.includes("/")) return 'A name cannot contain "/". Choose another one.';
  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) return "A name cannot contain control characters. Choose another one.";
  return undefined;
}

/**
 * The folders that a relative path asks for, outermost first. Browsers and clients end the path with the file's own name,
 * or not; both are understood. Rejects like `parseEntryName`, and with `entry.too_deep`.
 */
export function parseRelativePath(relativePath: string, fileName: string): EntryName[] {
  const names = relativePath
    .split("/")
    .filter((part) => part !== "")
    .map(parseEntryName);
  if (names.at(-1) === fileName.normalize("NFC")) names.pop();
  if (names.length > limits.folderDepthMax) throw tooDeep();
  return names;
}

export function tooDeep(): DriveError {
  return new DriveError("entry.too_deep", `Folders can be at most ${limits.folderDepthMax} deep. Choose a place further up.`);
}

/** What surrounds the number in "name (2).ext". The two always leave room for it. */
export interface NameParts {
  stem: string;
  extension: string;
}

/** Only files have extensions: "v1.2" as a folder becomes "v1.2 (2)". */
export function nameParts(name: EntryName, kind: "folder" | "file"): NameParts {
  const extension = kind === "file" ? extensionOf(name) : "";
  const stem = name.slice(0, name.length - extension.length);
  return { stem: truncate(stem, limits.entryNameBytesMax - NUMBER_BYTES - Buffer.byteLength(extension)), extension };
}

/** The dot is part of it; empty when there is none. */
function extensionOf(name: string): string {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot) : "";
  return Buffer.byteLength(extension) > EXTENSION_BYTES_MAX ? "" : extension;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Cuts between visible characters, never inside one. */
function truncate(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text;
  let kept = "";
  let bytes = 0;
  for (const { segment } of graphemes.segment(text)) {
    bytes += Buffer.byteLength(segment);
    if (bytes > bytesMax) break;
    kept += segment;
  }
  return kept;
}
