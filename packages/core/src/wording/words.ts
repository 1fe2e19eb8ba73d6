const SMALL_NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

export const inWords = (count: number): string => SMALL_NUMBERS[count] ?? count.toLocaleString("en");

export const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** "1 chunk has", "1,200 chunks have". */
export const chunksHave = (count: number): string => (count === 1 ? "1 chunk has" : `${count.toLocaleString("en")} chunks have`);

/** "node-1", "node-1 and node-2", "node-1, node-2 and 3 others". */
export function listed(names: readonly string[]): string {
  if (names.length <= 1) return names.join("");
  if (names.length <= 3) return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  return `${names.slice(0, 2).join(", ")} and ${inWords(names.length - 2)} others`;
}

/** "1 chunk", "1,200 chunks". */
export const chunksCounted = (count: number): string => (count === 1 ? "1 chunk" : `${count.toLocaleString("en")} chunks`);

const BYTE_UNITS = ["bytes", "kB", "MB", "GB", "TB", "PB"] as const;

/** "512 bytes", "6.4 GB": in decimal units, as the interface shows them. */
export function bytesInWords(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  for (; amount >= 1_000 && unit < BYTE_UNITS.length - 1; unit++) amount /= 1_000;
  return `${unit === 0 ? amount.toLocaleString("en") : amount.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** "0.4 s", "21 s", "4 min", "3.5 h". */
export function secondsInWords(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}

const SMALL_ORDINALS = ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];

/** "third", "12th". */
export function ordinal(place: number): string {
  const small = SMALL_ORDINALS[place];
  if (small !== undefined) return small;
  const suffixes: Record<string, string> = { one: "st", two: "nd", few: "rd" };
  return `${place}${suffixes[ORDINAL_RULES.select(place)] ?? "th"}`;
}

const ORDINAL_RULES = new Intl.PluralRules("en", { type: "ordinal" });
