import { expect, test } from "vitest";
import { headline, headlineDetail } from "./headline.ts";
import { inTrayOrder, summarize } from "./summary.ts";
import type { Phase, Upload } from "./upload.ts";

const upload = (id: string, phase: Phase, changes: Partial<Upload> = {}): Upload => ({
  id,
  name: id,
  folders: "",
  parentId: "root",
  sizeBytes: 100,
  lastModifiedMs: 0,
  mediaType: "",
  conflict: "keep-both",
  phase,
  sentBytes: 0,
  bytesPerSecond: 0,
  ...changes,
});
const done: Phase = { name: "done", placed: { entryId: undefined, inRoot: false } };
const waiting: Phase = { name: "waiting", why: "Two nodes are away." };
const viewOf = (...uploads: Upload[]) => ({ ...summarize(uploads), uploads });

test("the tray says what needs a person first and what is done last", () => {
  const uploads = [
    upload("done", done),
    upload("queued", { name: "queued" }),
    upload("sending", { name: "sending" }),
    upload("failed", { name: "failed", why: "" }),
  ];
  expect(inTrayOrder(uploads).map(({ id }) => id)).toEqual(["failed", "sending", "queued", "done"]);
});

test("one of two still gets through: the tray does not claim that all wait", () => {
  expect(viewOf(upload("a", waiting), upload("b", { name: "sending" })).waitingFor).toBeUndefined();
  expect(headlineDetail(viewOf(upload("a", waiting), upload("b", { name: "queued" })))).toBe("Two nodes are away.");
});

test("small files alone give no hour-long estimate from a speed that nobody measured", () => {
  const view = viewOf(upload("small", { name: "sending" }), upload("big", { name: "queued" }, { sizeBytes: 600_000_000 }));
  expect(headlineDetail(view)).toBe("0 B of 600 MB");
});

test("the headline counts, and asks for sign-in above all", () => {
  expect(headline(viewOf(upload("a", done), upload("b", { name: "sending" })))).toBe("1 of 2 uploaded");
  expect(headline(viewOf(upload("a", { name: "sending" })))).toBe("Uploading 1 file");
  expect(headline(viewOf(upload("a", { name: "signed-out" }), upload("b", { name: "queued" })))).toBe("Sign in again to continue");
  expect(headline(viewOf(upload("a", done), upload("b", done)))).toBe("2 uploads done");
});
