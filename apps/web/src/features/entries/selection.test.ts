import { describe, expect, test } from "vitest";
import {
  afterChange,
  clear,
  extendTo,
  move,
  nothingSelected,
  rowOrder,
  type Selection,
  selectAll,
  selectOnly,
  toggle,
} from "./selection.ts";

const order = rowOrder(["a", "b", "c", "d", "e"]);
const picked = ({ ids }: Selection) => [...ids].toSorted().join("");
const press = (selection: Selection, step: number, extend = false) => move(selection, order, step, { extend });

describe("the keyboard", () => {
  test("the first arrow down enters the list at its top, the first arrow up at its bottom", () => {
    expect(press(nothingSelected, 1).active).toBe("a");
    expect(press(nothingSelected, -1).active).toBe("e");
  });

  test("arrows stop at the ends instead of wrapping around", () => {
    expect(press(selectOnly("e"), 1).active).toBe("e");
    expect(press(selectOnly("a"), -10).active).toBe("a");
  });

  test("shift-arrows down and back up shrink the range again, from where it began", () => {
    const down = press(press(selectOnly("b"), 1, true), 1, true);
    expect(picked(down)).toBe("bcd");
    expect(picked(press(down, -1, true))).toBe("bc");
    expect(picked(press(down, -3, true))).toBe("ab");
  });

  test("escape forgets the selection and keeps the place", () => {
    expect(clear(selectOnly("c"))).toMatchObject({ active: "c", anchor: undefined });
    expect(picked(clear(selectOnly("c")))).toBe("");
  });

  test("an empty folder has nowhere to go", () => expect(move(nothingSelected, rowOrder([]), 1, { extend: false })).toBe(nothingSelected));
});

describe("the pointer", () => {
  test("ctrl-click adds a row and takes it away again", () => {
    const two = toggle(selectOnly("a"), "c");
    expect(picked(two)).toBe("ac");
    expect(picked(toggle(two, "a"))).toBe("c");
  });

  test("shift-click upwards selects everything between, and a second one replaces the first range", () => {
    const range = extendTo(selectOnly("d"), order, "b");
    expect(picked(range)).toBe("bcd");
    expect(picked(extendTo(range, order, "e"))).toBe("de");
  });

  test("shift-click with nothing selected selects that row alone", () => expect(picked(extendTo(nothingSelected, order, "c"))).toBe("c"));
});

describe("the list changes underneath", () => {
  test("three rows trashed: the row that moved up is the one keys act on", () => {
    const selection = extendTo(selectOnly("b"), order, "d");
    const after = afterChange(selection, order, rowOrder(["a", "e"]));
    expect(after).toMatchObject({ active: "e", anchor: "e" });
    expect(picked(after)).toBe("");
  });

  test("the last row goes: the one above it takes over", () => {
    expect(afterChange(selectOnly("e"), order, rowOrder(["a", "b", "c", "d"])).active).toBe("d");
  });

  test("a re-sorted list keeps every selected row", () => {
    const selection = extendTo(selectOnly("b"), order, "d");
    expect(afterChange(selection, order, rowOrder(["e", "d", "c", "b", "a"]))).toBe(selection);
  });

  test("select all takes what is there now", () => expect(picked(selectAll(nothingSelected, order))).toBe("abcde"));
});
