"use client";
import { useEffect, useEffectEvent, useRef } from "react";
import { type ActionName, type Command, commandFor, findTyped } from "./keys.ts";
import type { ListSelection } from "./use-list-selection.ts";

/** How long after a letter the next one still belongs to the same name. */
const TYPING_PAUSE_MS = 900;

interface ListKeys {
  selection: ListSelection;
  loadAll: () => Promise<void>;
  /** What the list itself cannot do. */
  onAction: (action: ActionName) => void;
}

/** Listens on the page, so that the keys work wherever nothing else wants them. */
export function useListKeys({ selection, loadAll, onAction }: ListKeys): void {
  const typed = useTypedName();

  const selectAll = useEffectEvent(() => selection.all());
  const goToLast = useEffectEvent((extend: boolean) => selection.move("last", extend));

  const carryOut = (command: Command): void => {
    switch (command.do) {
      case "move":
        if (command.step === "last") void loadAll().then(() => goToLast(command.extend));
        else selection.move(command.step, command.extend);
        break;
      case "type": {
        const names = selection.rows.map((row) => row.name);
        const found = selection.rows[findTyped(names, typed.add(command.letter), selection.activeIndex)];
        if (found) selection.only(found.id);
        break;
      }
      case "toggle":
        if (selection.active) selection.toggle(selection.active.id);
        break;
      case "select-all":
        selectAll();
        void loadAll().then(() => selectAll());
        break;
      case "clear":
        selection.clear();
        break;
      default:
        onAction(command.do);
    }
  };

  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || !isForTheList(event)) return;
    const command = commandFor(event, { typing: typed.isTyping() });
    if (command === undefined) return;
    event.preventDefault();
    carryOut(command);
  });

  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKeyDown(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}

/** Keys pressed in a text box, a menu or a dialog are theirs. A button that was clicked keeps the focus, but only what presses it. */
function isForTheList({ target, key }: KeyboardEvent): boolean {
  if (target === document.body) return true;
  if (!(target instanceof Element)) return false;
  return target.matches("[role=grid]") || (target.matches("main button") && key !== "Enter" && key !== " ");
}

function useTypedName() {
  const typed = useRef({ text: "", atMs: 0 });
  const isTyping = (): boolean => typed.current.text !== "" && performance.now() - typed.current.atMs < TYPING_PAUSE_MS;
  return {
    isTyping,
    add(letter: string): string {
      // The same letter twice is not "aa" but "the next one with a".
      const text = isTyping() && typed.current.text !== letter ? typed.current.text + letter : letter;
      typed.current = { text, atMs: performance.now() };
      return text;
    },
  };
}
