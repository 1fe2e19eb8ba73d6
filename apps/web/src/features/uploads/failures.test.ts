import { expect, test } from "vitest";
import { judge, retryDelayMs } from "./failures.ts";

const json = (message: string) => JSON.stringify({ error: "some.code", message });

test("two nodes away: the upload waits in the server's own words, as long as the server asks", () => {
  const body = json("Two of three nodes are away.");
  expect(judge({ status: 503, body, retryAfter: "2", resuming: false })).toEqual({
    next: "retry",
    why: "Two of three nodes are away.",
    afterMs: 2_000,
  });
});

test("the gateway restarts in mid-upload: nothing answers, and the upload waits instead of failing", () => {
  expect(judge({ resuming: true }).next).toBe("retry");
});

test("a 503 while resuming 50 GB never begins the file anew", () => expect(judge({ status: 503, resuming: true }).next).toBe("retry"));

test("an upload that expired on the server begins anew; a parent folder that is gone does not", () => {
  expect(judge({ status: 410, resuming: true }).next).toBe("restart");
  expect(judge({ status: 404, resuming: false, body: json("The folder is gone.") })).toEqual({
    next: "give-up",
    why: "The folder is gone.",
  });
});

test("an expired session asks for sign-in, whatever was being done", () => {
  expect(judge({ status: 401, resuming: true })).toEqual({ next: "sign-in" });
});

test("another request still holds the upload: it is asked again", () => expect(judge({ status: 423, resuming: true }).next).toBe("retry"));

test("a full quota is told as the server put it, and not retried", () => {
  expect(judge({ status: 507, body: json("Your drive is full."), resuming: false })).toEqual({
    next: "give-up",
    why: "Your drive is full.",
  });
});

test("a proxy's error page is not shown to people", () => {
  expect(judge({ status: 413, body: "<html>nginx</html>", resuming: false })).toEqual({
    next: "give-up",
    why: "Holdfast refused this file (413).",
  });
});

test("a server that stays away is asked ever more rarely, but never rarer than every 15 s", () => {
  expect([0, 1, 2, 10].map(retryDelayMs)).toEqual([500, 1_000, 2_000, 15_000]);
});
