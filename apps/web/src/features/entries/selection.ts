/**
 * Which rows of a list are selected, and where the keyboard stands. Pure.
 *
 * `active` is the row that keys act from; `anchor` is where a range began. Both are ids and not positions, so that a list
 * that is sorted, refreshed or uploaded into while somebody selects keeps what they meant.
 */
export interface Selection {
  ids: ReadonlySet<string>;
  active: string | undefined;
  anchor: string | undefined;
}

/** The rows in the order shown. */
export interface RowOrder {
  readonly ids: readonly string[];
  /** -1 when the row is not there. */
  indexOf(id: string | undefined): number;
}

export const nothingSelected: Selection = { ids: new Set(), active: undefined, anchor: undefined };

export function rowOrder(ids: readonly string[]): RowOrder {
  const places = new Map(ids.map((id, index) => [id, index]));
  return { ids, indexOf: (id) => (id === undefined ? -1 : (places.get(id) ?? -1)) };
}

export function selectOnly(id: string): Selection {
  return { ids: new Set([id]), active: id, anchor: id };
}

/** Ctrl-click, Space, a tap on the checkbox. */
export function toggle(selection: Selection, id: string): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { ids, active: id, anchor: id };
}

/** Shift-click, Shift-arrow: everything from where the range began to here, and nothing else. */
export function extendTo(selection: Selection, order: RowOrder, id: string): Selection {
  const from = order.indexOf(selection.anchor ?? selection.active);
  const to = order.indexOf(id);
  if (from === -1 || to === -1) return selectOnly(id);
  const ids = order.ids.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ids: new Set(ids), active: id, anchor: order.ids[from] };
}

export type Step = number | "first" | "last";

/** The row that a step from the active one leads to; a first step enters the list at its near end. */
function rowAfter(selection: Selection, order: RowOrder, step: Step): string | undefined {
  if (step === "first") return order.ids[0];
  if (step === "last") return order.ids.at(-1);
  const from = order.indexOf(selection.active);
  if (from === -1) return step > 0 ? order.ids[0] : order.ids.at(-1);
  return order.ids[Math.max(0, Math.min(order.ids.length - 1, from + step))];
}

export function move(selection: Selection, order: RowOrder, step: Step, { extend }: { extend: boolean }): Selection {
  const id = rowAfter(selection, order, step);
  if (id === undefined) return selection;
  return extend ? extendTo(selection, order, id) : selectOnly(id);
}

export function selectAll(selection: Selection, order: RowOrder): Selection {
  return { ...selection, ids: new Set(order.ids), active: selection.active ?? order.ids[0] };
}

/** Nothing selected, but the keyboard stays where it was. */
export function clear(selection: Selection): Selection {
  return { ids: new Set(), active: selection.active, anchor: undefined };
}

/** After rows went away: what is left of the selection, with the keyboard on the row that took the place of the one it was on. */
export function afterChange(selection: Selection, before: RowOrder, order: RowOrder): Selection {
  const activeGone = selection.active !== undefined && order.indexOf(selection.active) === -1;
  const someGone = [...selection.ids].some((id) => order.indexOf(id) === -1);
  if (!activeGone && !someGone) return selection;

  const ids = new Set([...selection.ids].filter((id) => order.indexOf(id) !== -1));
  const place = Math.min(before.indexOf(selection.active), order.ids.length - 1);
  const active = activeGone ? order.ids[place] : selection.active;
  return { ids, active, anchor: order.indexOf(selection.anchor) === -1 ? active : selection.anchor };
}
