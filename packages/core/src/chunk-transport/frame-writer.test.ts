import type { Socket } from "node:net";
import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { KiB } from "../kernel/index.ts";
import { FrameWriter } from "./frame-writer.ts";

/** A socket that takes nothing before `take`, and what each of its system calls would have carried. */
function setting() {
  const calls: Buffer[][] = [];
  const pending: (() => void)[] = [];
  const socket = new Writable({
    write: (part: Buffer, _encoding, done) => (calls.push([part]), pending.push(done)),
    writev: (parts, done) => (calls.push(parts.map(({ chunk }) => chunk as Buffer)), pending.push(done)),
  });
  const told: string[] = [];
  const writer = new FrameWriter(socket as Socket);
  const send = (name: string, body?: Buffer): void => writer.send(Buffer.from(name), body && [body], () => told.push(name));
  return { socket, calls, told, send, take: () => pending.splice(0).forEach((done) => done()) };
}

test("short frames of one turn leave as one buffer, and each is told when the kernel has it, not before", async () => {
  const { calls, told, send, take } = setting();
  send("one ");
  send("two ", Buffer.from("with a body "));
  await turn();
  send("three");
  await turn();
  expect(calls).toEqual([[Buffer.from("one two with a body ")]]);
  expect(told).toEqual([]);
  take();
  await turn();
  expect(told).toEqual(["one ", "two "]);
  take();
  await turn();
  expect(told).toEqual(["one ", "two ", "three"]);
});

test("a long body is not copied", async () => {
  const { calls, send } = setting();
  const body = Buffer.alloc(64 * KiB);
  send("one ");
  send("two ", body);
  await turn();
  expect(calls).toHaveLength(1);
  expect(calls[0]!.at(-1)!.buffer).toBe(body.buffer);
});

test("a connection that breaks gives all memory back", async () => {
  const { socket, told, send, take } = setting();
  send("on its way");
  await turn();
  send("waits");
  await turn();
  send("too late");
  socket.destroy();
  take();
  await turn();
  expect(told.toSorted()).toEqual(["on its way", "too late", "waits"]);
});
