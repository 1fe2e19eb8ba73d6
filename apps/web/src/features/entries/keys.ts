/** What each key does in a list of entries. Pure; the list carries it out. */
import type { Step } from "./selection.ts";

export type Command =
  | { do: "move"; step: Step; extend: boolean }
  | { do: "type"; letter: string }
  | { do: "toggle" | "select-all" | "clear" }
  | { do: ActionName };

/** What the list leaves to the page around it. */
export type ActionName = "open" | "rename" | "trash" | "parent" | "details" | "help";

export interface KeyPress {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** Rows of a page for PageUp and PageDown. */
const PAGE_ROWS = 12;

const steps: Record<string, Step> = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE_ROWS, PageUp: -PAGE_ROWS, Home: "first", End: "last" };
const letterSteps: Record<string, Step> = { j: 1, k: -1, J: 1, K: -1 };
const letterCommands: Record<string, Command> = { x: { do: "toggle" }, " ": { do: "toggle" }, d: { do: "details" }, "?": { do: "help" } };
const namedCommands: Record<string, Command> = {
  Escape: { do: "clear" },
  Enter: { do: "open" },
  F2: { do: "rename" },
  Delete: { do: "trash" },
};

/**
 * The command of a key press; undefined leaves the key to the browser. Some letters are commands and every letter may
 * begin a name: once typing a name has begun (`typing`), letters belong to it.
 */
export function commandFor(press: KeyPress, { typing }: { typing: boolean }): Command | undefined {
  const { key, shiftKey } = press;
  if (press.altKey) return key === "ArrowUp" ? { do: "parent" } : undefined;
  if (press.ctrlKey || press.metaKey) return key === "a" ? { do: "select-all" } : undefined;
  if (steps[key] !== undefined) return { do: "move", step: steps[key], extend: shiftKey };
  if (namedCommands[key]) return namedCommands[key];
  if ([...new Intl.Segmenter().segment(key)].length !== 1) return undefined;

  if (!typing && letterSteps[key] !== undefined) return { do: "move", step: letterSteps[key], extend: shiftKey };
  if (!typing && letterCommands[key]) return letterCommands[key];
  return { do: "type", letter: key };
}

/** For the sheet of shortcuts. */
export const shortcuts: readonly { keys: readonly string[]; does: string }[] = [
  { keys: ["↑", "↓", "j", "k"], does: "Move" },
  { keys: ["Shift ↑", "Shift ↓"], does: "Extend the selection" },
  { keys: ["x", "Space"], does: "Select or deselect" },
  { keys: ["Ctrl A"], does: "Select everything" },
  { keys: ["Esc"], does: "Select nothing" },
  { keys: ["Enter"], does: "Open" },
  { keys: ["Alt ↑"], does: "Go to the folder above" },
  { keys: ["F2"], does: "Rename" },
  { keys: ["Delete"], does: "Move to the trash" },
  { keys: ["d"], does: "Show or hide details" },
  { keys: ["a … z"], does: "Jump to a name by typing it" },
  { keys: ["?"], does: "Show this list" },
];

/** The next row, from the active one on and around, whose name begins with what was typed; -1 when there is none. */
export function findTyped(names: readonly string[], typed: string, activeIndex: number): number {
  const wanted = typed.toLocaleLowerCase();
  // The same row may still match a longer text; a first letter moves on to the next row.
  const start = typed.length === 1 ? activeIndex + 1 : Math.max(0, activeIndex);
  for (let offset = 0; offset < names.length; offset++) {
    const index = (start + offset) % names.length;
    if (names[index]!.toLocaleLowerCase().startsWith(wanted)) return index;
  }
  return -1;
}
