import fc from "fast-check";
import { expect, test } from "vitest";
import { KiB } from "../kernel/index.ts";
import { FrameReader } from "./frame-reader.ts";

const HEADER_BYTES = 8;

/** A header that names its body's length, then the body. */
function frameOf(body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES, 0xff);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

function bodyOf({ length, fill }: { length: number; fill: number }): Buffer {
  return Buffer.alloc(length, fill);
}

/** A socket's part: fills each place as it was given, and asks for the next one at once, as libuv does. */
class Wire {
  readonly #bytes: Buffer;
  readonly #reader: FrameReader;
  #sent = 0;
  #place: Buffer;
  isPaused = false;
  /** Then a socket would fail. */
  hadNoPlace = false;

  constructor(bytes: Buffer, reader: FrameReader) {
    this.#bytes = bytes;
    this.#reader = reader;
    this.#place = reader.place();
  }

  get isDone(): boolean {
    return this.#sent === this.#bytes.length;
  }

  push(bytesMax: number): void {
    const count = this.#bytes.copy(this.#place, 0, this.#sent, Math.min(this.#bytes.length, this.#sent + bytesMax));
    this.#sent += count;
    this.isPaused = !this.#reader.received(count, this.#place);
    this.#place = this.#reader.place();
    this.hadNoPlace ||= this.#place.length === 0;
  }
}

const bodies = fc.array(
  fc.record({ length: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 200 * KiB })), fill: fc.nat(255) }),
  { maxLength: 8 },
);
const reads = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100 * KiB })));
const choices = fc.infiniteStream(fc.boolean());

test("frames come out as they were sent, however they are cut, wherever memory comes late, whenever reading is held", () => {
  fc.assert(
    fc.property(bodies, reads, choices, (frames, sizes, isLate) => {
      const sent = frames.map(bodyOf);
      const received: Buffer[] = [];
      let wanted: Buffer | undefined;
      let next: Buffer;
      const reader = new FrameReader({
        headerBytes: HEADER_BYTES,
        header(header) {
          next = Buffer.alloc(header.readUInt32BE());
          wanted = isLate.next().value ? next : undefined;
          return wanted === undefined ? next : undefined;
        },
        body() {
          received.push(next);
          if (isLate.next().value) reader.hold();
        },
      });
      const wire = new Wire(Buffer.concat(sent.map(frameOf)), reader);
      while (!wire.isDone || wire.isPaused) {
        if (!wire.isPaused) {
          wire.push(sizes.next().value);
        } else if (wanted !== undefined) {
          const body = wanted;
          wanted = undefined;
          wire.isPaused = !reader.provide(body);
        } else {
          wire.isPaused = !reader.goOn();
        }
      }
      expect(wire.hadNoPlace).toBe(false);
      expect(received.length).toBe(sent.length);
      expect(received.every((body, index) => body.equals(sent[index]!))).toBe(true);
    }),
  );
});

test("while it is held, the frame that has begun is finished and no other one looked at", () => {
  const received: string[] = [];
  const reader = new FrameReader({ headerBytes: 1, header: (header) => Buffer.alloc(header[0]!), body: () => received.push("body") });
  const place = reader.place();
  place.set([3, 1, 2]);
  expect(reader.received(3, place)).toBe(true);
  reader.hold();
  const rest = reader.place();
  expect(rest).toHaveLength(1);
  rest[0] = 3;
  expect(reader.received(1, rest)).toBe(false);
  const more = reader.place();
  more.set([0]);
  expect(reader.received(1, more)).toBe(false);
  expect(received).toEqual(["body"]);
  expect(reader.goOn()).toBe(true);
  expect(received).toEqual(["body", "body"]);
});

test("held with all its memory full, it still names a place, and what is read there is in order", () => {
  const received: number[] = [];
  const reader = new FrameReader({
    headerBytes: 1,
    header: (header) => {
      received.push(header[0]!);
      return Buffer.alloc(0);
    },
    body: () => undefined,
  });
  const sent = Array.from({ length: 64 * KiB + 1 }, (_, index) => index % 251);
  reader.hold();
  const first = reader.place();
  first.set(sent.slice(0, first.length));
  expect(reader.received(first.length, first)).toBe(false);
  const last = reader.place();
  expect(first.length + last.length).toBe(sent.length);
  expect(reader.goOn()).toBe(true);
  last[0] = sent.at(-1)!;
  reader.received(1, last);
  expect(received).toEqual(sent);
});
