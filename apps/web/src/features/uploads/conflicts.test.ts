import { expect, test } from "vitest";
import { type Question, type Reply, settleConflicts, topName } from "./conflicts.ts";

function scripted(...replies: (Reply | undefined)[]) {
  const asked: Question[] = [];
  return { asked, ask: async (question: Question) => (asked.push(question), replies[asked.length - 1]) };
}

const files = (...names: string[]) => names.map((name) => ({ name, isFolder: false }));

test("200 taken names and “do the same for all”: asked once", async () => {
  const names = files(...Array.from({ length: 200 }, (_, index) => `photo ${index}.jpg`));
  const { asked, ask } = scripted({ policy: "replace", forAll: true });
  const policies = await settleConflicts(names, ask);
  expect(asked).toEqual([{ name: "photo 0.jpg", isFolder: false, more: 199 }]);
  expect([...policies!.values()]).toEqual(names.map(() => "replace"));
});

test("each name can have an answer of its own until one is meant for the rest", async () => {
  const { asked, ask } = scripted({ policy: "skip", forAll: false }, { policy: "keep-both", forAll: true });
  const policies = await settleConflicts(files("a", "b", "c"), ask);
  expect(asked).toHaveLength(2);
  expect(policies).toEqual(
    new Map([
      ["a", "skip"],
      ["b", "keep-both"],
      ["c", "keep-both"],
    ]),
  );
});

test("closing the question uploads nothing", async () => {
  expect(await settleConflicts(files("a", "b"), scripted({ policy: "skip", forAll: false }, undefined).ask)).toBeUndefined();
});

test("a dropped folder meets its namesake as a whole; a Mac's é is a PC's é", () => {
  expect(topName({ folders: "photos/2024", name: "a.jpg" })).toBe("photos");
  expect(topName({ folders: "", name: "cafe\u0301.txt" })).toBe("caf\u00e9.txt");
});
