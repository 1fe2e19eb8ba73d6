"use client";
import { useMemo, useState } from "react";
import type { Entry } from "./entry.ts";
import * as rules from "./selection.ts";

export type ListSelection = ReturnType<typeof useListSelection>;

const noRows: readonly Entry[] = [];

/** The selection of one list, kept right while its rows change. */
export function useListSelection(rows: readonly Entry[] = noRows) {
  const order = useMemo(() => rules.rowOrder(rows.map((row) => row.id)), [rows]);
  const [known, setKnown] = useState({ order, selection: rules.nothingSelected });

  let { selection } = known;
  if (known.order !== order) {
    selection = rules.afterChange(known.selection, known.order, order);
    setKnown({ order, selection });
  }
  const set = (next: rules.Selection): void => setKnown({ order, selection: next });

  const entries = useMemo(() => rows.filter((row) => selection.ids.has(row.id)), [rows, selection]);
  const active = rows[order.indexOf(selection.active)];
  return {
    rows,
    ids: selection.ids,
    active,
    activeIndex: order.indexOf(selection.active),
    /** The selected rows, in the order shown. */
    entries,
    /** What an action acts on: the selected rows, or the active one when none is. */
    targets: entries.length > 0 || active === undefined ? entries : [active],
    only: (id: string) => set(rules.selectOnly(id)),
    toggle: (id: string) => set(rules.toggle(selection, id)),
    extendTo: (id: string) => set(rules.extendTo(selection, order, id)),
    move: (step: rules.Step, extend: boolean) => set(rules.move(selection, order, step, { extend })),
    all: () => set(rules.selectAll(selection, order)),
    clear: () => set(rules.clear(selection)),
  };
}
