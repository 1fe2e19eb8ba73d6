/** Does one item, perhaps together with others; settles when that is done. */
export type Gathering<Item, Result> = (key: string, item: Item) => Promise<Result>;

interface Waiter<Item, Result> extends PromiseWithResolvers<Result> {
  item: Item;
}

export interface GatheringOptions<Item, Result> {
  /** Does items of one key, and answers in their order. When it rejects, it has done none of them. */
  work: (key: string, items: readonly Item[]) => Promise<readonly Result[]>;
  /** In one call. */
  itemsMax: number;
}

/**
 * Does in one step what many ask for at once. Items of a key that come while others of it are being done wait and are done
 * together afterwards. So nobody waits for company, however long: an item that comes alone is done at once, and the more
 * there are, the more each step does.
 */
export function createGathering<Item, Result>({ work, itemsMax }: GatheringOptions<Item, Result>): Gathering<Item, Result> {
  const lines = new Map<string, Waiter<Item, Result>[]>();

  const doAll = async (key: string, line: Waiter<Item, Result>[]): Promise<void> => {
    while (line.length > 0) {
      const waiters = line.splice(0, itemsMax);
      try {
        const items = waiters.map(({ item }) => item);
        const results = await work(key, items);
        for (const [index, { resolve }] of waiters.entries()) resolve(results[index]!);
      } catch (error) {
        for (const { reject } of waiters) reject(error);
      }
    }
    lines.delete(key);
  };

  return (key, item) => {
    const waiter = { item, ...Promise.withResolvers<Result>() };
    const line = lines.get(key);
    if (line !== undefined) {
      line.push(waiter);
      return waiter.promise;
    }
    const newLine = [waiter];
    lines.set(key, newLine);
    setImmediate(() => void doAll(key, newLine)); // whoever else was read from a socket in this turn comes along
    return waiter.promise;
  };
}
