import { describe, expect, test } from "vitest";
import { commandFor, findTyped, type KeyPress } from "./keys.ts";

const press = (key: string, modifiers: Partial<KeyPress> = {}): KeyPress => ({
  key,
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...modifiers,
});
const command = (key: string, modifiers?: Partial<KeyPress>) => commandFor(press(key, modifiers), { typing: false });

describe("keys", () => {
  test("j and k move like the arrows, and extend with shift like them", () => {
    expect(command("j")).toEqual(command("ArrowDown"));
    expect(command("K", { shiftKey: true })).toEqual(command("ArrowUp", { shiftKey: true }));
  });

  test("in the middle of typing a name, command letters belong to the name", () => {
    expect(commandFor(press("d"), { typing: true })).toEqual({ do: "type", letter: "d" });
    expect(command("d")).toEqual({ do: "details" });
  });

  test("the browser keeps its own keys: reload, find, history, function keys, Tab", () => {
    for (const own of [
      press("r", { ctrlKey: true }),
      press("f", { metaKey: true }),
      press("ArrowLeft", { altKey: true }),
      press("F5"),
      press("Tab"),
    ]) {
      expect(commandFor(own, { typing: false })).toBeUndefined();
    }
  });

  test("a letter outside ASCII can be typed too", () => expect(command("ß")).toEqual({ do: "type", letter: "ß" }));
});

describe("typing a name", () => {
  const names = ["alpha", "Beta", "bravo", "gamma"];
  test("the same letter again moves on to the next name with it, and around", () => {
    expect(findTyped(names, "b", -1)).toBe(1);
    expect(findTyped(names, "b", 1)).toBe(2);
    expect(findTyped(names, "b", 2)).toBe(1);
  });
  test("a second letter may keep the row it is on", () => expect(findTyped(names, "br", 2)).toBe(2));
  test("a name that is not there moves nothing", () => expect(findTyped(names, "z", 0)).toBe(-1));
});
