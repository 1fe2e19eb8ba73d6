import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("what nobody else is at begins at once; the same key waits, another does not, and a failure holds nobody up", async () => {
  const turns = new Turns<string>();
  const begun: string[] = [];
  const first = Promise.withResolvers<void>();
  const failing = turns.run("a", () => (begun.push("a1"), first.promise));
  const second = turns.run("a", async () => begun.push("a2"));
  const other = turns.run("b", async () => begun.push("b1"));
  expect(begun).toEqual(["a1", "b1"]);
  await other;
  expect(begun).toEqual(["a1", "b1"]);
  first.reject(new Error("the disk failed"));
  await expect(failing).rejects.toThrow("the disk failed");
  await second;
  expect(begun).toEqual(["a1", "b1", "a2"]);
  await turns.idle();
  expect(await turns.run("a", async () => "free again")).toBe("free again");
});
