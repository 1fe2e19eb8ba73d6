/** Random lives of a store, held to a model of a few maps. `chaos/store/model.ts` does the same for hours. */
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { liveThrough } from "./testing/model/index.ts";
import { storeKinds } from "./testing/stores/index.ts";

test.each(Object.entries(storeKinds))("a %s store answers like a map, whatever is asked of it", async (_name, kind) => {
  const lives = { seed: 1, count: 4, lengthMax: 100, scratch: tmpdir() };
  expect(await liveThrough(kind, lives, false)).toBeGreaterThan(50);
});
