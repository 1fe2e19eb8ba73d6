/**
 * A `Map` of what comes and goes by thousands a second, in the order of coming.
 *
 * When the table behind a `Map` is full of what was deleted, V8 copies the rest to a new one, and the old one goes on naming
 * what was in it at that moment. A long-lived map's tables lie in the old generation, where only a collection of everything
 * looks. So a good part of all entries, with whatever they refer to, is moved there and stays until then. Here the tables name
 * places, which are emptied and used again.
 */
export class FleetingMap<Value> {
  readonly #places = new Map<number, { value: Value | undefined }>();
  readonly #empty: { value: Value | undefined }[] = [];

  get size(): number {
    return this.#places.size;
  }

  get(key: number): Value | undefined {
    return this.#places.get(key)?.value;
  }

  /** The key must be new. */
  add(key: number, value: Value): void {
    const place = this.#empty.pop() ?? { value: undefined };
    place.value = value;
    this.#places.set(key, place);
  }

  delete(key: number): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    place.value = undefined;
    this.#empty.push(place);
  }

  *values(): Generator<Value> {
    for (const { value } of this.#places.values()) yield value!;
  }

  clear(): void {
    for (const key of this.#places.keys()) this.delete(key);
  }
}
