/** Does one item, perhaps together with others; settles when that is done. */
export type Gathering<Item, Result> = (key: string, item: Item) => Promise<Result>;

interface Waiter<Item, Result> extends PromiseWithResolvers<Result> {
  item: Item;
}

interface Line<Item, Result> {
  waiters: Waiter<Item, Result>[];
  /** Steps under way. */
  steps: number;
  patience: NodeJS.Timeout | undefined;
}

export interface GatheringOptions<Item, Result> {
  /** Does items of one key, and answers in their order. When it rejects, it has done none of them. */
  work: (key: string, items: readonly Item[]) => Promise<readonly Result[]>;
  /** In one call. */
  itemsMax: number;
  /** After this time what waits is done beside the step under way. By default it waits for that to end. */
  patienceMs?: number;
}

/**
 * Does in one step what many ask for at once. Items of a key that come while others of it are being done wait and are done
 * together afterwards. So nobody waits for company, however long: an item that comes alone is done at once, and the more
 * there are, the more each step does.
 */
export function createGathering<Item, Result>({ work, itemsMax, patienceMs }: GatheringOptions<Item, Result>): Gathering<Item, Result> {
  const lines = new Map<string, Line<Item, Result>>();

  const doAll = async (key: string, line: Line<Item, Result>): Promise<void> => {
    line.steps++;
    while (line.waiters.length > 0) {
      const waiters = line.waiters.splice(0, itemsMax);
      endPatience(line);
      bePatient(key, line);
      try {
        const items = waiters.map(({ item }) => item);
        const results = await work(key, items);
        for (const [index, { resolve }] of waiters.entries()) resolve(results[index]!);
      } catch (error) {
        for (const { reject } of waiters) reject(error);
      }
    }
    endPatience(line);
    line.steps--;
    if (line.steps === 0 && lines.get(key) === line) lines.delete(key);
  };

  const bePatient = (key: string, line: Line<Item, Result>): void => {
    if (patienceMs === undefined || line.waiters.length === 0 || line.steps === 0) return;
    line.patience ??= setTimeout(() => void doAll(key, line), patienceMs);
  };

  return (key, item) => {
    const waiter = { item, ...Promise.withResolvers<Result>() };
    const line = lines.get(key);
    if (line !== undefined) {
      line.waiters.push(waiter);
      bePatient(key, line);
      return waiter.promise;
    }
    const newLine = { waiters: [waiter], steps: 0, patience: undefined };
    lines.set(key, newLine);
    setImmediate(() => void doAll(key, newLine)); // whoever else was read from a socket in this turn comes along
    return waiter.promise;
  };
}

function endPatience(line: { patience: NodeJS.Timeout | undefined }): void {
  clearTimeout(line.patience);
  line.patience = undefined;
}
