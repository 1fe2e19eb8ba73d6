import { type IncomingMessage, request } from "node:http";
import { openDatabase } from "@holdfast/db";
import { createTestDatabase, type TestDatabase } from "@holdfast/db/testing";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type HttpServer, startHttpServer } from "../http-edge/index.ts";
import { createLogger } from "../kernel/index.ts";
import { EnvironmentError } from "../service/index.ts";
import { type AccountError, type Accounts, createAccounts, type Peer, type SignUpPolicy } from "./index.ts";
import { setupCodeOf } from "./setup-code.ts";

const SECRET = "a secret that is only used in this test, 0123456789";
const HERE: Peer = { address: "127.0.0.1", loopback: true };
const ELSEWHERE: Peer = { address: "192.0.2.7", loopback: false };
const OWNER = { name: "Ada", email: "ada@example.com", password: "correct horse battery" };
const logger = createLogger("test", "silent");

let database: TestDatabase;
let accounts: Accounts;
let server: HttpServer;

async function serve(signUp?: SignUpPolicy): Promise<void> {
  accounts = createAccounts({ database, secret: SECRET, logger, signUp });
  server = await startHttpServer({ port: 0, bind: "127.0.0.1", handler: accounts.handler, logger, portSetting: "PORT" });
}

beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query('TRUNCATE "user", rate_limit, event CASCADE');
  await serve();
});
afterEach(() => server.stop());

interface Answer {
  status: number;
  cookie: string;
  setCookie: string;
  body: Record<string, unknown>;
}

/** By `node:http`, because `fetch` does not let a test choose the Host it pretends to have typed. */
function send(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = server.address;
    const text = body === undefined ? "" : JSON.stringify(body);
    const req = request(
      { host: "127.0.0.1", port, method, path: `/api/auth${path}`, headers: { "content-type": "application/json", ...headers } },
      (res) => void readAnswer(res).then(resolve, reject),
    );
    req.on("error", reject);
    req.end(text);
  });
}

async function readAnswer(res: IncomingMessage): Promise<Answer> {
  const parts = await res.setEncoding("utf8").toArray();
  const setCookie = res.headers["set-cookie"]?.join("\n") ?? "";
  const body = JSON.parse(parts.join("") || "{}") as Record<string, unknown>;
  return { status: res.statusCode!, cookie: setCookie.split(";")[0]!, setCookie, body };
}

const signUp = (email: string, headers?: Record<string, string>, more: object = {}) =>
  send("POST", "/sign-up/email", { ...OWNER, email, ...more }, headers);
const signIn = (password = OWNER.password, headers?: Record<string, string>) =>
  send("POST", "/sign-in/email", { email: OWNER.email, password }, headers);

async function waitingForLocks(): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  );
  return rows[0]!.count;
}

async function users(): Promise<{ email: string; role: string; drives: number; roots: number }[]> {
  const { rows } = await database.pool.query(
    `SELECT u.email, u.role, count(DISTINCT d.id) AS drives, count(r.id) AS roots FROM "user" u
     LEFT JOIN drive d ON d.owner_id = u.id LEFT JOIN entry r ON r.drive_id = d.id GROUP BY u.id ORDER BY u.created_at, u.email`,
  );
  return rows;
}

describe("the first owner", () => {
  test("ten browsers race through the set-up: one becomes the owner, the others are told", async () => {
    const owners = Array.from({ length: 10 }, (_, index) => ({ ...OWNER, email: `owner-${index}@example.com` }));
    const results = await Promise.allSettled(owners.map((owner) => accounts.createOwner(owner, HERE)));
    const told = results.filter((result) => result.status === "rejected").map((result) => (result.reason as AccountError).code);
    expect(told).toEqual(Array.from({ length: 9 }, () => "setup.done"));
    expect(await users()).toMatchObject([{ role: "admin", drives: 1, roots: 1 }]);
  });

  test("the set-up page and eight sign-ups race: there is one admin, and everybody has a drive", async () => {
    const signUps = Array.from({ length: 8 }, (_, index) => signUp(`user-${index}@example.com`));
    await Promise.allSettled([accounts.createOwner(OWNER, HERE), ...signUps]);
    const made = await users();
    expect(made.filter((user) => user.role === "admin")).toHaveLength(1);
    for (const user of made) expect(user).toMatchObject({ drives: 1, roots: 1 });
  });

  test("from another machine the printed code is needed, in whatever case and spacing it is typed", async () => {
    expect(await accounts.setupState(ELSEWHERE)).toEqual({ needed: true, codeRequired: true });
    await expect(accounts.createOwner(OWNER, ELSEWHERE)).rejects.toMatchObject({ code: "setup.wrong_code" });
    await expect(accounts.createOwner({ ...OWNER, code: "AAAA-AAAA" }, ELSEWHERE)).rejects.toMatchObject({ code: "setup.wrong_code" });
    expect(await users()).toEqual([]);
    await accounts.createOwner({ ...OWNER, code: ` ${setupCodeOf(SECRET).toLowerCase().replaceAll("-", " ")}` }, ELSEWHERE);
    expect(await accounts.setupState(ELSEWHERE)).toEqual({ needed: false, codeRequired: false });
    expect(await users()).toMatchObject([{ email: OWNER.email, role: "admin" }]);
  });

  test("the making of an admin is in the event log", async () => {
    await accounts.createOwner(OWNER, HERE);
    await signUp("second@example.com");
    expect(await database.prisma.event.findMany()).toMatchObject([
      { kind: "admin.created", message: expect.stringContaining(OWNER.email) },
    ]);
  });

  test("after ten wrong codes even the right one has to wait", async () => {
    for (let tries = 0; tries < 10; tries++) {
      await expect(accounts.createOwner({ ...OWNER, code: `wrong ${tries}` }, ELSEWHERE)).rejects.toMatchObject({
        code: "setup.wrong_code",
      });
    }
    const right = { ...OWNER, code: setupCodeOf(SECRET) };
    await expect(accounts.createOwner(right, ELSEWHERE)).rejects.toMatchObject({ code: "setup.too_many_tries" });
  });

  test("the set-up leaves no session behind that nobody knows of", async () => {
    await accounts.createOwner(OWNER, HERE);
    expect(await database.prisma.session.count()).toBe(0);
  });

  test.each([
    [{ password: "short" }, /at least 8/],
    [{ email: "ada" }, /e-mail/],
    [{ name: " " }, /name/],
  ])("an owner with %j is refused in plain words", async (fault, message) => {
    await expect(accounts.createOwner({ ...OWNER, ...fault }, HERE)).rejects.toThrow(message);
    expect(await users()).toEqual([]);
  });

  test("the environment makes the owner once, also when two gateways start at the same moment", async () => {
    const environment = { email: OWNER.email, password: OWNER.password };
    await Promise.all([accounts.prepareOwner(environment), accounts.prepareOwner(environment)]);
    await accounts.prepareOwner({ ...environment, password: "changed later, and ignored" });
    expect(await users()).toMatchObject([{ email: OWNER.email, role: "admin" }]);
    expect((await signIn()).status).toBe(200);
  });

  test.each([
    [{ email: OWNER.email, password: "short" }, /^HOLDFAST_OWNER_PASSWORD: .*at least 8/],
    [{ email: "ada", password: OWNER.password }, /^HOLDFAST_OWNER_EMAIL: .*e-mail/],
    [{ email: OWNER.email, password: undefined }, /Set both or neither/],
    [{ email: undefined, password: OWNER.password }, /Set both or neither/],
  ])("an environment that cannot make an owner is one clear line: %j", async (environment, message) => {
    const error: unknown = await accounts.prepareOwner(environment).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(EnvironmentError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain("\n");
  });
});

describe("signing up", () => {
  const ELSEWHERE_HEADERS = { host: "drive.example.com" };

  test("on this machine the first becomes the owner and the second an ordinary user", async () => {
    expect((await signUp("first@example.com")).status).toBe(200);
    expect((await signUp("second@example.com")).status).toBe(200);
    expect(await users()).toMatchObject([
      { email: "first@example.com", role: "admin" },
      { email: "second@example.com", role: "user" },
    ]);
  });

  test("from another machine the first needs the code", async () => {
    expect(await signUp("first@example.com", ELSEWHERE_HEADERS)).toMatchObject({ status: 403, body: { error: "setup.wrong_code" } });
    expect(await users()).toEqual([]);
    expect((await signUp("first@example.com", { ...ELSEWHERE_HEADERS, "holdfast-setup-code": setupCodeOf(SECRET) })).status).toBe(200);
    expect(await users()).toMatchObject([{ role: "admin" }]);
  });

  async function signUpAsSecond(policy: SignUpPolicy, headers: Record<string, string>): Promise<Answer> {
    await accounts.createOwner(OWNER, HERE);
    await server.stop();
    await serve(policy);
    return await signUp("eve@example.com", headers);
  }

  test.each<[SignUpPolicy, Record<string, string>]>([
    ["auto", {}],
    ["open", ELSEWHERE_HEADERS],
    ["open", {}],
  ])("once there is an owner, policy %s with headers %j lets a second person in", async (policy, headers) => {
    expect((await signUpAsSecond(policy, headers)).status).toBe(200);
    expect(await users()).toMatchObject([{ role: "admin" }, { role: "user", drives: 1, roots: 1 }]);
  });

  test.each<[SignUpPolicy, Record<string, string>]>([
    ["auto", ELSEWHERE_HEADERS],
    ["auto", { "x-forwarded-for": "192.0.2.7" }],
    ["auto", { "X-Real-IP": "192.0.2.7" }],
    ["auto", { Forwarded: "for=192.0.2.7" }],
    ["auto", { host: "localhost.example.com" }],
    ["closed", {}],
    ["closed", ELSEWHERE_HEADERS],
  ])("once there is an owner, policy %s with headers %j points a second person to an admin", async (policy, headers) => {
    const { status, body } = await signUpAsSecond(policy, headers);
    expect({ status, body }).toMatchObject({
      status: 403,
      body: { error: "account.sign_up_closed", message: expect.stringMatching(/admin/) },
    });
    expect(await users()).toHaveLength(1);
  });

  test.each(["//sign-up/email", "/sign-up/email/", "/sign-up%2Femail", "/sign-up/./email", "/x/../sign-up/email"])(
    "spelled as %s, a closed sign-up stays closed",
    async (path) => {
      await accounts.createOwner(OWNER, HERE);
      await send("POST", path, { ...OWNER, email: "eve@example.com" }, ELSEWHERE_HEADERS);
      expect(await users()).toHaveLength(1);
    },
  );

  test("a closed sign-up does not tell who has an account", async () => {
    await accounts.createOwner(OWNER, HERE);
    const known = await signUp(OWNER.email, ELSEWHERE_HEADERS);
    const unknown = await signUp("eve@example.com", ELSEWHERE_HEADERS);
    expect(known).toEqual(unknown);
  });

  test("a role, a ban or an id in the body changes nothing", async () => {
    await accounts.createOwner(OWNER, HERE);
    await signUp("eve@example.com", {}, { role: "admin", banned: false, id: "chosen" });
    await signUp("eve@example.com", {}, { data: { role: "admin" } });
    const { rows } = await database.pool.query(`SELECT id, role FROM "user" WHERE email = 'eve@example.com'`);
    for (const row of rows) expect(row).toMatchObject({ role: "user", id: expect.not.stringMatching(/chosen/) });
  });
});

test("no password, cookie or session token reaches the log, whatever goes right or wrong", async () => {
  const lines: string[] = [];
  const talkative = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  await server.stop();
  accounts = createAccounts({ database, secret: SECRET, logger: talkative });
  server = await startHttpServer({ port: 0, bind: "127.0.0.1", handler: accounts.handler, logger: talkative, portSetting: "PORT" });
  await accounts.prepareOwner({ email: OWNER.email, password: OWNER.password });
  const { cookie } = await signIn();
  await signIn("canary-password");
  await signUp(OWNER.email);
  await send("POST", "/change-password", { currentPassword: "canary-password", newPassword: "canary" }, { cookie });
  await database.pool.query("ALTER TABLE account RENAME TO hidden");
  await signIn();
  await database.pool.query("ALTER TABLE hidden RENAME TO account");

  const log = lines.join("");
  expect(log).toMatch(/internal error/); // the fault was seen, and said
  for (const secret of [OWNER.password, "canary", SECRET, cookie.split("=")[1]!.split(".")[0]!]) expect(log).not.toContain(secret);
});

describe("signed in", () => {
  beforeEach(() => accounts.createOwner(OWNER, HERE));

  test("the cookie leads to the actor with drive and root", async () => {
    const { cookie, setCookie } = await signIn();
    expect(setCookie).toMatch(/HttpOnly/);
    expect(setCookie).toMatch(/SameSite=Lax/);
    expect(setCookie).not.toMatch(/Secure/);
    const { rows } = await database.pool.query(`SELECT d.id AS "driveId", e.id AS "rootId" FROM drive d JOIN entry e ON e.drive_id = d.id`);
    expect(await accounts.actorOf({ cookie })).toMatchObject({ role: "admin", ...rows[0] });
  });

  test("behind a trusted proxy that speaks https the cookie is Secure, and is understood again", async () => {
    await server.stop();
    accounts = createAccounts({ database, secret: SECRET, logger, trustProxy: true });
    const handler = accounts.handler;
    server = await startHttpServer({ port: 0, bind: "127.0.0.1", handler, logger, portSetting: "PORT", trustProxy: true });
    const { cookie, setCookie } = await signIn(OWNER.password, { "x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.7" });
    expect(setCookie).toMatch(/__Secure-.*; Secure/);
    expect(await accounts.actorOf({ cookie })).toBeDefined();
  });

  test("no cookie, a forged one and another cluster's are nobody", async () => {
    const { cookie } = await signIn();
    expect(await accounts.actorOf({})).toBeUndefined();
    expect(await accounts.actorOf({ cookie: cookie.replace(/=./, "=X") })).toBeUndefined();
    const [name, token] = cookie.split(/[=]|\.(?=[^.]*$)/) as [string, string];
    expect(await accounts.actorOf({ cookie: `${name}=${token}` })).toBeUndefined();
    expect(await accounts.actorOf({ cookie: `${name}=${token}.${Buffer.alloc(32).toString("base64")}` })).toBeUndefined();
    const other = createAccounts({ database, secret: `another ${SECRET}`, logger });
    expect(await other.actorOf({ cookie })).toBeUndefined();
  });

  test("signing out, a ban and an expiry count at once", async () => {
    const first = await signIn();
    await send("POST", "/sign-out", {}, { cookie: first.cookie, origin: `http://127.0.0.1:${server.address.port}` });
    expect(await accounts.actorOf({ cookie: first.cookie })).toBeUndefined();

    const { cookie } = await signIn();
    await database.pool.query(`UPDATE "user" SET banned = true`);
    expect(await accounts.actorOf({ cookie })).toBeUndefined();
    await database.pool.query(`UPDATE "user" SET ban_expires = now() - interval '1 second'`);
    expect(await accounts.actorOf({ cookie })).toBeDefined();
    await database.pool.query("UPDATE session SET expires_at = now() - interval '1 second'");
    expect(await accounts.actorOf({ cookie })).toBeUndefined();
  });

  test("a crash between account and drive is healed by the next request", async () => {
    const { cookie } = await signIn();
    await database.pool.query("DELETE FROM entry; DELETE FROM drive");
    const actors = await Promise.all([accounts.actorOf({ cookie }), accounts.actorOf({ cookie })]);
    expect(actors[0]).toEqual(actors[1]);
    expect(await users()).toMatchObject([{ drives: 1, roots: 1 }]);
  });

  test.each([
    ["/set-role", (userId: string) => ({ userId, role: "user" })],
    ["/set-role", (userId: string) => ({ userId, role: ["admin", "user"] })],
    ["/set-role", (userId: string) => ({ userId: [userId], role: "user" })],
    ["/set-role", (userId: string) => ({ userId, role: "user", data: "anything" })],
    ["/update-user", (userId: string) => ({ userId, data: { role: "user" } })],
    ["/update-user", (userId: string) => ({ userId, role: "admin", data: { role: "user" } })],
  ])("the only admin cannot step down by %s: the next visitor would become the owner", async (path, body) => {
    const { cookie } = await signIn();
    const { rows } = await database.pool.query<{ id: string }>('SELECT id FROM "user"');
    const answer = await send("POST", `/admin${path}`, body(rows[0]!.id), { cookie, origin: `http://127.0.0.1:${server.address.port}` });
    expect(answer).toMatchObject({ status: 409, body: { error: "account.own_role" } });
    expect(await users()).toMatchObject([{ role: "admin" }]);
    expect(await accounts.setupState(HERE)).toMatchObject({ needed: false });
  });

  test("a session whose password was given too long ago changes no account, not even to give itself another password", async () => {
    const { cookie } = await signIn();
    const { rows } = await database.pool.query<{ id: string }>('SELECT id FROM "user"');
    await database.pool.query("UPDATE session SET created_at = now() - interval '11 minutes'");
    const change = () => send("POST", "/admin/set-user-password", { userId: rows[0]!.id, newPassword: "chosen by a thief" }, { cookie });
    expect(await change()).toMatchObject({ status: 403, body: { error: "auth.unconfirmed" } });
    const fresh = await signIn();
    const both = { cookie: `${cookie}; __Secure-${fresh.cookie}` };
    expect((await send("POST", "/admin/remove-user", { userId: rows[0]!.id }, both)).status).toBe(403);
    await database.pool.query("UPDATE session SET confirmed_at = now()");
    expect((await change()).status).toBe(200);
  });

  test("a stolen cookie does not try passwords where nobody counts", async () => {
    const { cookie } = await signIn();
    const guess = { method: "POST", headers: { cookie, "content-type": "application/json" }, body: '{"password":"a guess"}' };
    expect((await fetch(`http://127.0.0.1:${server.address.port}/api/auth/verify-password`, guess)).status).toBe(404);
  });

  test("two admins who take each other's rights at the same moment: one of them stays an admin", async () => {
    const first = await signIn();
    const other = await signUp("bob@example.com");
    await database.pool.query(`UPDATE "user" SET role = 'admin'`);
    const { rows } = await database.pool.query<{ id: string }>('SELECT id FROM "user" ORDER BY email');
    const [ada, bob] = rows.map(({ id }) => id) as [string, string];
    const slow = await database.pool.connect(); // both have been let in before either is done
    await slow.query('BEGIN; SELECT FROM "user" FOR UPDATE');
    const answers = Promise.all([
      send("POST", "/admin/set-role", { userId: bob, role: "user" }, { cookie: first.cookie }),
      send("POST", "/admin/set-role", { userId: ada, role: "user" }, { cookie: other.cookie }),
    ]);
    await expect.poll(waitingForLocks).toBe(2);
    await slow.query("COMMIT");
    slow.release();
    expect(new Set((await answers).map(({ status }) => status))).toEqual(new Set([200, 403]));
    expect(new Set((await users()).map(({ role }) => role))).toEqual(new Set(["admin", "user"]));
  });

  test("a program may leave its origin unsaid, and a proxy may speak https for us: that is nobody else's page", async () => {
    const { port } = server.address;
    for (const headers of [undefined, { origin: `https://127.0.0.1:${port}` }]) {
      const { cookie } = await signIn();
      expect((await send("POST", "/sign-out", {}, { cookie, ...headers })).status).toBe(200);
      expect(await accounts.actorOf({ cookie })).toBeUndefined();
    }
    const { cookie } = await signIn();
    expect((await send("POST", "/sign-out", {}, { cookie, "sec-fetch-site": "same-site" })).status).toBe(403);
    expect(await accounts.actorOf({ cookie })).toBeDefined();
  });

  test("passwords rest as argon2id", async () => {
    const { rows } = await database.pool.query("SELECT password FROM account");
    expect(rows).toEqual([{ password: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/) }]);
    expect((await signIn("wrong password")).status).toBe(401);
  });

  test("the thirty-first guess within a minute is refused, on every gateway, whatever address it claims", async () => {
    const guesses: number[] = [];
    for (let guess = 0; guess < 31; guess++) {
      guesses.push((await signIn("wrong password", { "holdfast-peer-address": `192.0.2.${guess}` })).status);
    }
    expect(guesses.filter((status) => status === 429)).toHaveLength(1);
    await server.stop();
    await serve();
    expect((await signIn()).status).toBe(429);
  });

  test("a page of another site cannot sign anybody in or out", async () => {
    expect((await signIn(OWNER.password, { origin: "https://evil.example" })).status).toBe(403);
  });

  test.each([
    ["a body that never ends", { host: "127.0.0.1", "transfer-encoding": "chunked" }, { email: "a".repeat(70_000) }],
    ["a host that is none", { host: "a b/c@d:x" }, {}],
    ["no object", {}, []],
  ])("%s is the caller's mistake, not ours", async (_what, headers, body) => {
    expect((await send("POST", "/sign-in/email", body, headers as Record<string, string>)).status).toBe(400);
  });

  test("while the database is away nobody is called signed out: every answer is a 503", async () => {
    const { cookie } = await signIn();
    await server.stop();
    const away = openDatabase("postgresql://nobody@127.0.0.1:1/none", { onError: () => undefined });
    accounts = createAccounts({ database: away, secret: SECRET, logger });
    server = await startHttpServer({ port: 0, bind: "127.0.0.1", handler: accounts.handler, logger, portSetting: "PORT" });
    await expect(accounts.actorOf({ cookie })).rejects.toThrow(/ECONNREFUSED|connect/i);
    await expect(accounts.setupState(HERE)).rejects.toThrow(/ECONNREFUSED|connect/i);
    const answers = [await signIn(), await signUp("eve@example.com"), await send("GET", "/get-session", undefined, { cookie })];
    expect(answers.map((answer) => answer.status)).toEqual([503, 503, 503]);
    await away.close();
  });
});
