/**
 * How a browser is told what a user's bytes are, without ever being talked into running them.
 *
 * Shown in place is only what cannot carry a script. Everything else is a download, whatever its sender called it.
 */

/** Besides `image/`, `audio/` and `video/`, less the exceptions. */
const INLINE_TYPES = new Set(["text/plain"]);
const INLINE_FAMILIES = new Set(["image", "audio", "video"]);
/** With `nosniff` a browser runs only these as script, style or module: they are never sent under their own name. */
const ACTIVE = /(?:java|ecma|j|live)script|^text\/css$|\/wasm$|html|\/xml$|\+xml$/;
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$/;
const UNKNOWN_TYPE = "application/octet-stream";

/** Scripts, forms, plugins and this origin's cookies are out of reach; a picture opened by itself still shows. */
const SANDBOX = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'";
/** The player that a browser puts around a recording fetches it once more, and may only do so from its own origin. */
const PLAYER_SANDBOX = SANDBOX.replace("sandbox", "sandbox allow-same-origin");
const PLAYED = /^(?:audio|video)\//;

export interface NamedContent {
  name: string;
  /** As the uploader declared it: anything at all. */
  mediaType: string;
}

/** `asDownload` asks for a file to save even where it could be shown. */
export function contentHeaders({ name, mediaType }: NamedContent, asDownload: boolean): Record<string, string> {
  const type = safeMediaType(mediaType);
  return {
    "content-type": type === "text/plain" ? "text/plain; charset=utf-8" : type,
    "content-disposition": contentDisposition(!asDownload && isShownInPlace(type) ? "inline" : "attachment", name),
    "content-security-policy": PLAYED.test(type) ? PLAYER_SANDBOX : SANDBOX,
    "x-content-type-options": "nosniff",
  };
}

/**
 * RFC 6266: `filename` for old clients, with every doubtful character replaced, and `filename*` with the exact name
 * whenever they differ.
 */
export function contentDisposition(disposition: "inline" | "attachment", name: string): string {
  const plain = name.replaceAll(/[^ !#$&'()+,\-.0-9;=@A-Z[\]^_`a-z{}~]/gu, "_");
  const exact = plain === name ? "" : `; filename*=UTF-8''${extendedValue(name)}`;
  return `${disposition}; filename="${plain}"${exact}`;
}

/** RFC 8187. */
function extendedValue(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function safeMediaType(declared: string): string {
  const type = declared.split(";", 1)[0]!.trim().toLowerCase();
  return MEDIA_TYPE.test(type) && !ACTIVE.test(type) ? type : UNKNOWN_TYPE;
}

function isShownInPlace(type: string): boolean {
  return INLINE_TYPES.has(type) || INLINE_FAMILIES.has(type.split("/", 1)[0]!);
}
