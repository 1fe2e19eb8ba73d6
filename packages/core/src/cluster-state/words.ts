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
