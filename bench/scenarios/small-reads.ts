import { KiB } from "@holdfast/core/kernel";
import { doTimes, keepDoing, measure, WARM_UP_SECONDS } from "../measure/meter.ts";
import { operationsRow, type Row } from "../report/row.ts";
import type { DoorScenario } from "../scenario.ts";

const FILE_BYTES = 4 * KiB;
/** Several times what a gateway keeps of short chunks. */
const FILES = 16_384;
const FAVOURITES = 1_000;
const PUT_AT_ONCE = 64;
const AT_ONCE = 16;
const SECONDS = 3;

/** Files that came together. The times are those to the first byte. */
export const smallReads: DoorScenario = {
  number: 15,
  name: "small-reads",
  title: `files of 4 KiB that came together, read ${AT_ONCE} at a time`,
  kind: "door",
  async measure(door, { rounds }) {
    if (door.read === undefined) return [];
    await doTimes(PUT_AT_ONCE, FILES, (number) => door.put(nameOf(number), FILE_BYTES));
    const row = async (what: string, choose: () => number): Promise<Row> => {
      const readOne = async (): Promise<number> => (await door.read!(nameOf(choose()))).firstByteMs;
      await keepDoing(AT_ONCE, WARM_UP_SECONDS, readOne);
      const measured = await measure(() => door.processes(), {
        rounds,
        work: (_, took) => keepDoing(AT_ONCE, SECONDS, async () => took(await readOne())),
      });
      return operationsRow(what, measured);
    };
    let turn = 0;
    return [
      await row(`${FILES} one after the other, as they came`, () => turn++ % FILES),
      await row(`any of ${FILES}`, () => Math.floor(Math.random() * FILES)),
      await row(`any of ${FAVOURITES}`, () => Math.floor(Math.random() * FAVOURITES)),
    ];
  },
};

function nameOf(number: number): string {
  return `read-${number}`;
}
