import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { ChunkStreams } from "./chunk-streams.ts";
import type { ClientSession } from "./client-session.ts";

/** As much of a session as streams see of it. */
class Session implements Pick<ClientSession, "busy" | "isOpen" | "onChange" | "close"> {
  busy = 0;
  isOpen = true;
  onChange = (): void => undefined;
  readonly #under: PromiseWithResolvers<string>[] = [];

  ask(): Promise<string> {
    this.busy++;
    const answer = Promise.withResolvers<string>();
    this.#under.push(answer);
    return answer.promise;
  }

  answer(): void {
    this.busy--;
    this.#under.shift()!.resolve("answer");
    this.onChange();
  }

  end(): void {
    this.isOpen = false;
    this.busy = 0;
    this.#under.forEach(({ reject }) => reject(new Error("ended")));
    this.onChange();
  }

  async close(): Promise<void> {
    this.end();
  }
}

const ask = (session: ClientSession) => (session as unknown as Session).ask();

/** Streams that are opened one after the other, as the test says. */
function streams(streamsMax: number, requestsMax: number) {
  const attempts: PromiseWithResolvers<ClientSession>[] = [];
  const open = (): Promise<ClientSession> => {
    const attempt = Promise.withResolvers<ClientSession>();
    attempts.push(attempt);
    return attempt.promise;
  };
  return {
    attempts,
    all: new ChunkStreams({ open, streamsMax, requestsMax }),
    opens: async (index: number): Promise<Session> => {
      const session = new Session();
      attempts[index]!.resolve(session as unknown as ClientSession);
      await setImmediate();
      return session;
    },
    refuses: async (index: number): Promise<void> => {
      attempts[index]!.reject(new Error("refused"));
      await setImmediate();
    },
  };
}

test("requests that come at once are spread over the streams that are opened for them", async () => {
  const { all, attempts, opens } = streams(3, 10);
  const asked = Promise.all(Array.from({ length: 9 }, () => all.run(ask)));
  expect(attempts).toHaveLength(3);
  const sessions = [await opens(0), await opens(1), await opens(2)];
  expect(sessions.map(({ busy }) => busy)).toEqual([3, 3, 3]);
  for (const session of sessions) while (session.busy > 0) session.answer();
  expect(await asked).toHaveLength(9);
});

test("no stream can be opened: all who wait hear it, and who comes next tries anew", async () => {
  const { all, attempts, refuses } = streams(2, 10);
  const asked = Promise.allSettled([all.run(ask), all.run(ask), all.run(ask)]);
  await refuses(0);
  await refuses(1);
  expect((await asked).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  const again = Promise.allSettled([all.run(ask)]);
  expect(attempts).toHaveLength(3);
  await refuses(2);
  await again;
});

test("a node that takes no more streams, but serves those it has: who waits is served by these, and it is not knocked at without end", async () => {
  const { all, attempts, opens, refuses } = streams(4, 1);
  const asked = Promise.all(Array.from({ length: 6 }, () => all.run(ask)));
  const session = await opens(0);
  for (let index = 1; index < attempts.length; index++) await refuses(index);
  for (let answered = 0; answered < 6; answered++) {
    session.answer();
    await setImmediate();
  }
  expect(await asked).toHaveLength(6);
  expect(attempts).toHaveLength(4);
});

test("the last stream ends while others wait for a turn on it: another is opened for them", async () => {
  const { all, attempts, opens } = streams(1, 1);
  const lost = Promise.allSettled([all.run(ask)]);
  const waiting = all.run(ask);
  const session = await opens(0);
  session.end();
  expect(await lost).toMatchObject([{ status: "rejected" }]);
  expect(attempts).toHaveLength(2);
  const next = await opens(1);
  next.answer();
  expect(await waiting).toBe("answer");
});

test("who stops waiting for a turn goes at once, and takes nobody's turn", async () => {
  const { all, opens } = streams(1, 1);
  const first = all.run(ask);
  const leaving = new AbortController();
  const left = Promise.allSettled([all.run(ask, leaving.signal)]);
  const last = all.run(ask);
  leaving.abort();
  expect(await left).toMatchObject([{ status: "rejected", reason: { name: "AbortError" } }]);
  const session = await opens(0);
  session.answer();
  await setImmediate();
  session.answer();
  expect(await Promise.all([first, last])).toEqual(["answer", "answer"]);
});

test("closing waits for whoever is under way, those without a stream yet included", async () => {
  const { all, opens } = streams(1, 1);
  const asked = [all.run(ask), all.run(ask)];
  let isClosed = false;
  const closing = all.close().then(() => (isClosed = true));
  const session = await opens(0);
  session.answer();
  await setImmediate();
  expect(isClosed).toBe(false);
  session.answer();
  await closing;
  expect(await Promise.all(asked)).toEqual(["answer", "answer"]);
  expect(session.isOpen).toBe(false);
});
