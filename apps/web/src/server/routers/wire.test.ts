/** What a browser receives: the errors of the procedures over real HTTP. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAccounts } from "@holdfast/core/accounts";
import { createLogger } from "@holdfast/core/kernel";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { createTRPCClient, httpBatchLink, type TRPCClientError } from "@trpc/client";
import { nodeHTTPRequestHandler } from "@trpc/server/adapters/node-http";
import superjson from "superjson";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AppRouter, appRouter, createContext, type Services } from "./index.ts";

const OWNER = { name: "Ada", email: "ada@example.com", password: "correct horse battery" };

let database: TestDatabase;
let server: Server;
let origin: string;
let cookie = "";

beforeAll(async () => {
  database = await createTestDatabase();
  const logger = createLogger("test", "silent");
  const accounts = createAccounts({ database, secret: "only for this test, 0123456789abcdef", logger });
  const services: Services = { database, accounts, logger, replicas: 3, trashKeepDays: 30 };
  server = createServer((req, res) => {
    const path = req.url!.split("?")[0]!;
    const handled = path.startsWith("/api/auth/")
      ? accounts.handler(req, res)
      : nodeHTTPRequestHandler({ router: appRouter, req, res, path: path.slice(1), createContext: () => createContext(req, services) });
    void handled.catch((error: unknown) => res.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await database.drop();
});

const client = () =>
  createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: origin, transformer: superjson, headers: () => ({ cookie }) })] });

const failure = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error as TRPCClientError<AppRouter>,
  );

test("from nothing to a folder: set up, sign in, create, list with real dates", async () => {
  expect(await client().setup.state.query()).toEqual({ needed: true, codeRequired: false });
  await client().setup.createOwner.mutate(OWNER);
  const signedIn = await fetch(`${origin}/api/auth/sign-in/email`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify({ email: OWNER.email, password: OWNER.password }),
  });
  cookie = signedIn.headers.getSetCookie()[0]!.split(";")[0]!;

  const me = await client().account.me.query();
  expect(me.trashKeepDays).toBe(30);
  expect(me).toMatchObject({ name: "Ada", role: "admin", usedBytes: 0, quotaBytes: null });
  await client().entries.createFolder.mutate({ parentId: me.rootId, name: "Fotos 🎉" });
  const { items } = await client().entries.list.query({ parentId: me.rootId });
  expect(items).toMatchObject([{ name: "Fotos 🎉", kind: "folder", createdAt: expect.any(Date), trashedAt: null }]);
});

test("a refusal carries its code, its facts, its status and a sentence for people; never a stack", async () => {
  const { rootId } = await client().account.me.query();
  const { message, data } = await failure(client().entries.createFolder.mutate({ parentId: rootId, name: "Fotos 🎉" }));
  expect(message).toBe('"Fotos 🎉" exists here already. Choose another name.');
  expect(data).toEqual({ code: "entry.name_taken", httpStatus: 409, path: "entries.createFolder", details: { name: "Fotos 🎉" } });
});

test("an input that is not understood names its fields", async () => {
  const { data } = await failure(client().entries.folder.query({ id: "../../etc/passwd" }));
  expect(data).toMatchObject({ code: "BAD_REQUEST", httpStatus: 400, details: { issues: [{ path: "id" }] } });
});

test("a bug of ours tells nothing about itself", async () => {
  await database.pool.query("ALTER TABLE entry RENAME TO hidden");
  const { message, data } = await failure(
    client()
      .uploads.unfinished.query()
      .then(() => client().entries.trashed.query({})),
  );
  await database.pool.query("ALTER TABLE hidden RENAME TO entry");
  expect(data).toMatchObject({ code: "INTERNAL_SERVER_ERROR", httpStatus: 500, details: {} });
  expect(message).not.toMatch(/entry|relation|SELECT/);
});

test("signed out, every page is told so in words", async () => {
  cookie = "";
  const { message, data } = await failure(client().account.me.query());
  expect(data).toMatchObject({ code: "UNAUTHORIZED", httpStatus: 401 });
  expect(message).toMatch(/Sign in/);
});
