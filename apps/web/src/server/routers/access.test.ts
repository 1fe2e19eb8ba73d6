/** Who may call what: every procedure, from the router's own list, as nobody, as its owner and as a stranger. */
import { randomUUIDv7 } from "node:crypto";
import { createAccounts, type Peer } from "@holdfast/core/accounts";
import { type Actor, createFolder, ensureDrive, trashEntries } from "@holdfast/core/drive";
import { createLogger } from "@holdfast/core/kernel";
import { openDatabase } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { TRPCError } from "@trpc/server";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { appRouter, type Services } from "./index.ts";
import { createCallerFactory } from "./trpc.ts";

const logger = createLogger("test", "silent");
const HERE: Peer = { address: "127.0.0.1", loopback: true };

let database: TestDatabase;
let services: Services;
beforeAll(async () => {
  database = await createTestDatabase();
  const accounts = createAccounts({ database, secret: "only for this test, 0123456789abcdef", logger });
  services = { database, accounts, logger, replicas: 3, trashKeepDays: 30 };
});
afterAll(() => database.drop());

interface Ids {
  folder: string;
  sibling: string;
  trashed: string;
}

/** Each procedure with an input that its owner may send, and what a stranger is told who sends the same. */
const PROCEDURES: Record<string, { access: "anyone" | "user"; input?: (ids: Ids) => unknown; stranger: string }> = {
  "setup.state": { access: "anyone", stranger: "success" },
  "setup.createOwner": {
    access: "anyone",
    input: () => ({ name: "Ada", email: "ada@example.com", password: "correct horse" }),
    stranger: "CONFLICT",
  },
  "account.me": { access: "user", stranger: "success" },
  "entries.folder": { access: "user", input: ({ folder }) => ({ id: folder }), stranger: "NOT_FOUND" },
  "entries.list": { access: "user", input: ({ folder }) => ({ parentId: folder }), stranger: "NOT_FOUND" },
  "entries.details": { access: "user", input: ({ folder }) => ({ id: folder }), stranger: "NOT_FOUND" },
  "entries.takenNames": { access: "user", input: ({ folder }) => ({ parentId: folder, names: ["new"] }), stranger: "NOT_FOUND" },
  "entries.createFolder": { access: "user", input: ({ folder }) => ({ parentId: folder, name: "new" }), stranger: "NOT_FOUND" },
  "entries.createFolders": { access: "user", input: ({ folder }) => ({ parentId: folder, paths: ["a/b"] }), stranger: "NOT_FOUND" },
  "entries.rename": { access: "user", input: ({ folder }) => ({ id: folder, name: "renamed" }), stranger: "NOT_FOUND" },
  "entries.move": { access: "user", input: ({ folder, sibling }) => ({ ids: [folder], parentId: sibling }), stranger: "NOT_FOUND" },
  "entries.trash": { access: "user", input: ({ folder }) => ({ ids: [folder] }), stranger: "NOT_FOUND" },
  "entries.trashed": { access: "user", input: () => ({}), stranger: "success" },
  "entries.restore": { access: "user", input: ({ trashed }) => ({ ids: [trashed] }), stranger: "NOT_FOUND" },
  "entries.deleteForever": { access: "user", input: ({ trashed }) => ({ ids: [trashed] }), stranger: "NOT_FOUND" },
  "entries.emptyTrash": { access: "user", stranger: "success" },
  "uploads.unfinished": { access: "user", stranger: "success" },
};

type Call = (input?: unknown) => Promise<unknown>;

function callerOf(actor: Actor | undefined, as: Services = services): (path: string) => Call {
  const caller = createCallerFactory(appRouter)({ services: as, peer: HERE, actor: () => Promise.resolve(actor) });
  return (path) => path.split(".").reduce<unknown>((node, key) => (node as Record<string, unknown>)[key], caller) as Call;
}

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => "success",
    (error: unknown) => (error instanceof TRPCError ? error.code : `not a tRPC error: ${String(error)}`),
  );
}

async function createUser(): Promise<Actor> {
  const userId = randomUUIDv7();
  await database.pool.query(`INSERT INTO "user" (id, name, email) VALUES ($1, 'Test', $1)`, [userId]);
  return { userId, role: "user", ...(await ensureDrive(database.pool, userId)) };
}

async function createIds(actor: Actor): Promise<Ids> {
  const { pool } = database;
  const folder = await createFolder(pool, actor, { parentId: actor.rootId, name: "folder" });
  const sibling = await createFolder(pool, actor, { parentId: actor.rootId, name: "sibling" });
  const trashed = await createFolder(pool, actor, { parentId: actor.rootId, name: "trashed" });
  await trashEntries(pool, actor, [trashed.id]);
  return { folder: folder.id, sibling: sibling.id, trashed: trashed.id };
}

/** Everything of a drive that a stranger could have changed. */
async function stateOf({ driveId }: Actor): Promise<unknown[]> {
  return (await database.pool.query("SELECT * FROM entry WHERE drive_id = $1 ORDER BY id", [driveId])).rows;
}

test("the table names every procedure there is", () => {
  expect(Object.keys(PROCEDURES).toSorted()).toEqual(Object.keys(appRouter._def.procedures).toSorted());
});

const named = Object.entries(PROCEDURES).map(([path, procedure]) => ({ path, ...procedure }));

describe.each(named)("$path", ({ path, access, input, stranger }) => {
  let owner: Actor;
  let ids: Ids;
  beforeEach(async () => {
    await database.pool.query(`DELETE FROM "user" WHERE role = 'admin'`);
    owner = await createUser();
    ids = await createIds(owner);
  });

  test("as nobody", async () => {
    const before = await stateOf(owner);
    expect(await outcomeOf(callerOf(undefined)(path)(input?.(ids)))).toBe(access === "anyone" ? "success" : "UNAUTHORIZED");
    expect(await stateOf(owner)).toEqual(before);
  });

  test("as its owner", async () => {
    expect(await outcomeOf(callerOf(owner)(path)(input?.(ids)))).toBe("success");
  });

  test("as a stranger with the owner's ids: nothing is told and nothing changes", async () => {
    await callerOf(undefined)("setup.createOwner")(PROCEDURES["setup.createOwner"]!.input!(ids));
    const before = await stateOf(owner);
    const call = callerOf(await createUser())(path)(input?.(ids));
    expect(await outcomeOf(call)).toBe(stranger);
    expect(JSON.stringify(await call.catch(String)) ?? "").not.toContain(ids.trashed);
    expect(await stateOf(owner)).toEqual(before);
  });

  test("as somebody who sends nonsense: refused, and never an error of ours", async () => {
    const call = callerOf(owner)(path);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.jsonValue(), fc.record({ id: fc.string(), ids: fc.array(fc.string()), cursor: fc.string() })),
        async (value) => {
          expect(["success", "BAD_REQUEST"]).toContain(await outcomeOf(call(value)));
        },
      ),
      { numRuns: 50 },
    );
  });

  test("while the database is away: unavailable, not empty, not signed out", async () => {
    const away = openDatabase("postgresql://nobody@127.0.0.1:1/none", { onError: () => undefined });
    const accounts = createAccounts({ database: away, secret: "only for this test, 0123456789abcdef", logger });
    const call = callerOf(owner, { ...services, database: away, accounts })(path)(input?.(ids));
    expect(await outcomeOf(call)).toBe("SERVICE_UNAVAILABLE");
    await away.close();
  });
});
