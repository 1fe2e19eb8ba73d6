import { isForbidden, isMissing, isSignedOut, isTemporary, wordsFor } from "@holdfast/ui";
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import { expect, test } from "vitest";
import type { AppRouter } from "../../server/routers/index.ts";

/** What our client makes of an answer; of none, when the network is down. */
async function failureOf(answer: Response | undefined): Promise<unknown> {
  const fetch = async (): Promise<Response> => answer ?? Promise.reject(new TypeError("fetch failed"));
  const client = createTRPCClient<AppRouter>({ links: [httpLink({ url: "http://drive.test", transformer: superjson, fetch })] });
  return await client.account.me.query().then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error,
  );
}

const refused = (httpStatus: number, message: string) =>
  failureOf(Response.json({ error: superjson.serialize({ code: -1, message, data: { httpStatus } }) }, { status: httpStatus }));

test("what the server refused is told in its own words, and known by its status", async () => {
  const [signedOut, forbidden, missing, away] = await Promise.all([
    refused(401, "Sign in."),
    refused(403, "Not yours."),
    refused(404, "Gone."),
    refused(503, "The database does not answer."),
  ]);
  expect([isSignedOut(signedOut), isForbidden(forbidden), isMissing(missing), isTemporary(away)]).toEqual([true, true, true, true]);
  expect([signedOut, forbidden, missing].map(isTemporary)).toEqual([false, false, false]);
  expect(wordsFor(away)).toBe("The database does not answer.");
});

test("a server that never answered is away for a while; a fault of the page is nobody's outage", async () => {
  const unreachable = await failureOf(undefined);
  expect([isTemporary(unreachable), wordsFor(unreachable)]).toEqual([true, expect.stringContaining("Holdfast does not answer.")]);
  expect([isTemporary(new Error("a bug")), wordsFor(new Error("a bug"))]).toEqual([false, expect.stringContaining("Reload the page")]);
});
