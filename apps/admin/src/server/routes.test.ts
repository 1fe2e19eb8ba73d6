import { randomBytes } from "node:crypto";
import { type Accounts, createAccounts } from "@holdfast/core/accounts";
import { createClusterState } from "@holdfast/core/cluster-state";
import type { StoreStats } from "@holdfast/core/chunk-store";
import { listEvents } from "@holdfast/core/events";
import { createFaultSimulation, type NodeAccess, type NodeFault } from "@holdfast/core/fault-simulation";
import { brake, listBraked } from "@holdfast/core/garbage-collection";
import { type HttpServer, startHttpServer } from "@holdfast/core/http-edge";
import { createLogger, limits } from "@holdfast/core/kernel";
import { ensureClusterId } from "@holdfast/core/membership";
import { createLeadership, type Leadership } from "@holdfast/core/leadership";
import { createSafemode, type Safemode } from "@holdfast/core/safemode";
import { openDatabase } from "@holdfast/db";
import { createTestDatabase, startTestPostgres, type TestDatabase } from "@holdfast/db/testing";
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type AppRouter, appRouter } from "./routers/index.ts";
import { createRoutes } from "./routes.ts";
import type { Services } from "./services.ts";

const logger = createLogger("test", "silent");
const secret = randomBytes(32).toString("hex");
const password = "a long enough password";
const visitors = ["nobody", "user", "admin"] as const;
type Visitor = (typeof visitors)[number];

let database: TestDatabase;
let accounts: Accounts;
let leadership: Leadership;
let safemode: Safemode;
let stopping: AbortController;
let server: HttpServer;
let origin: string;
const cookies: Record<Visitor, string> = { nobody: "", user: "", admin: "" };

/** What the nodes were asked to simulate on themselves. */
const simulated: NodeFault[] = [];
const obedientNodes: NodeAccess = {
  clientFor: () => ({ stats: async () => ({}) as StoreStats }),
  commandsFor: () => ({
    verify: async () => undefined,
    simulate: async (fault) => void simulated.push(fault),
    recover: async () => void simulated.splice(0),
    simulated: async () => [],
  }),
};

function servicesOn(db: Services["database"]): Services {
  return {
    database: db,
    accounts,
    controller: { workers: () => [{ name: "failure-detection", state: "running", reason: "" }], leadership, safemode },
    clusterState: createClusterState({ pool: db.pool, hasHeard: () => true }),
    settings: { replicas: 3, writeQuorum: 2 },
    simulation: createFaultSimulation({ pool: db.pool, allowed: true, supervisor: undefined, nodes: obedientNodes }),
    logger,
    stopping: stopping.signal,
  };
}

const serve = (services: Services): Promise<HttpServer> =>
  startHttpServer({
    port: 0,
    bind: "127.0.0.1",
    portSetting: "HOLDFAST_ADMIN_PORT",
    handler: createRoutes(services, async (_, res) => void res.end("a page")),
    logger,
  });

beforeAll(async () => {
  database = await createTestDatabase();
  stopping = new AbortController();
  leadership = createLeadership({
    pool: database.pool,
    holderName: "this console",
    leaseMs: 60_000,
    onError: (error) => expect.unreachable(String(error)),
  });
  await leadership.start();
  safemode = createSafemode({ pool: database.pool, hasHeard: () => false });
  accounts = createAccounts({ database, secret, logger });
  server = await serve(servicesOn(database));
  origin = `http://127.0.0.1:${server.address.port}`;
  for (const [visitor, name] of [
    ["admin", "owner"],
    ["user", "guest"],
  ] as const) {
    const answer = await post("/api/auth/sign-up/email", { name, email: `${name}@example.org`, password });
    cookies[visitor] = cookieOf(answer);
  }
  await database.pool.query(
    `INSERT INTO node (identity, name, host, port, boot_id, health, capacity_bytes, free_bytes)
     SELECT gen_random_uuid(), 'node-' || number, '127.0.0.1', 7100 + number, gen_random_uuid(), 'up', 1000, 900 FROM generate_series(1, 3) number`,
  );
});

afterAll(async () => {
  stopping.abort();
  await server.stop();
  await leadership.stop();
  await database.drop();
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(origin + path, { method: "POST", headers: { "content-type": "application/json", origin, ...headers }, body: JSON.stringify(body) });

const cookieOf = (answer: Response): string =>
  answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");

const get = (path: string, visitor: Visitor, headers: Record<string, string> = {}) =>
  fetch(origin + path, { headers: { cookie: cookies[visitor], ...headers } });

const DECLARED: Record<string, Record<Visitor, number>> = {
  "/api/health": { nobody: 200, user: 200, admin: 200 },
  "/api/cluster": { nobody: 401, user: 403, admin: 200 },
  "/api/cluster/nodes/2/simulate": { nobody: 405, user: 405, admin: 405 },
  "/api/cluster/nodes/2/recover": { nobody: 405, user: 405, admin: 405 },
  "/api/confirm": { nobody: 405, user: 405, admin: 405 },
  "/api/cluster/nodes/two/simulate": { nobody: 404, user: 404, admin: 404 },
  "/api/nothing": { nobody: 404, user: 404, admin: 404 },
  "/": { nobody: 200, user: 200, admin: 200 },
};

test.each(Object.entries(DECLARED))("%s lets in whom it should, and nobody else", async (path, expected) => {
  for (const visitor of visitors) {
    const hostile = { "x-middleware-subrequest": "middleware", "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "127.0.0.1" };
    expect((await get(path, visitor, hostile)).status, visitor).toBe(expected[visitor]);
  }
});

test("no procedure of the router answers anybody but an admin, whatever it is given", async () => {
  const flat = appRouter._def.procedures as unknown as Record<string, { _def: { type: "query" | "mutation" | "subscription" } }>;
  const procedures = Object.keys(flat);
  expect(procedures.length).toBeGreaterThanOrEqual(4);
  for (const path of procedures) {
    const accept = { accept: path === "cluster.live" ? "text/event-stream" : "application/json" };
    const ask = (visitor: Visitor) =>
      flat[path]!._def.type === "mutation"
        ? post(`/api/trpc/${path}`, {}, { cookie: cookies[visitor] })
        : get(`/api/trpc/${path}`, visitor, accept);
    expect((await ask("nobody")).status, path).toBe(401);
    expect((await ask("user")).status, path).toBe(403);
  }
  for (const visitor of ["nobody", "user"] as const) {
    const stream = await (await get("/api/trpc/cluster.live", visitor)).text();
    expect(stream).toContain("serialized-error");
    expect(stream).not.toContain("event: data");
    expect(stream).not.toContain("node-1");
  }
});

test("a body that no operator would send is not read to its end", async () => {
  const answer = await post("/api/trpc/simulation.recover", { json: "x".repeat(100_000) }, { cookie: cookies.admin });
  expect(answer.status).toBe(413);
});

test("the cluster's state is what the contract says", async () => {
  const report = (await (await get("/api/cluster", "admin")).json()) as Record<string, unknown>;
  expect(report).toMatchObject({
    state: "ok",
    why: "All three nodes are up. Nothing is stored yet. Reading and uploads work.",
    chunks: { total: 0, byCopies: { "0": 0, "1": 0, "2": 0, "3": 0 } },
    repairs: [],
    rebalances: [],
  });
  expect((report["nodes"] as unknown[])[0]).toMatchObject({
    id: 1,
    name: "node-1",
    health: "up",
    intent: "active",
    zone: "default",
    capacityBytes: 1_000,
    freeBytes: 900,
    chunkCount: 0,
    lastSeenAt: null,
  });
});

test("an admin reads history and events, and learns who they are", async () => {
  const client = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${origin}/api/trpc`, transformer: superjson, headers: { cookie: cookies.admin } })],
  });
  expect(await client.account.me.query()).toMatchObject({ email: "owner@example.org", role: "admin" });
  expect((await client.cluster.history.query({ span: "hour" })).length).toBeGreaterThanOrEqual(30);
  expect((await client.events.list.query({ nodeId: 1 })).items).toEqual([]);
  await expect(client.events.list.query({ limit: 1_000_000 })).rejects.toMatchObject({ data: { code: "BAD_REQUEST" } });
});

test("the live stream shows a node's death, and ends by itself when its reader signs out", async () => {
  const signIn = await post("/api/auth/sign-in/email", { email: "owner@example.org", password });
  const cookie = cookieOf(signIn);
  const stream = await fetch(`${origin}/api/trpc/cluster.live`, { headers: { cookie, accept: "text/event-stream" } });
  expect(stream.headers.get("content-type")).toContain("text/event-stream");
  let text = "";
  let signedOut = false;
  for await (const piece of stream.body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (text.includes('"state":"ok"')) await database.pool.query("UPDATE node SET health = 'down' WHERE id = 2");
    if (text.includes('"state":"at-risk"') && !signedOut) {
      signedOut = true;
      await post("/api/auth/sign-out", {}, { cookie });
    }
    if (text.includes("auth.required")) break;
  }
  expect(text).toContain("node-2 is away.");
  expect(text).toContain("auth.required");
  await database.pool.query("UPDATE node SET health = 'up'");
});

test("a page of another site cannot act in an admin's name", async () => {
  const answer = await post("/api/auth/sign-out", {}, { cookie: cookies.admin, origin: "http://evil.example" });
  expect(answer.status).toBe(403);
  expect((await get("/api/cluster", "admin")).status).toBe(200);
});

test("metrics are for this machine and for admins, not for whom a proxy passes on", async () => {
  const local = await get("/metrics", "nobody");
  expect(local.status).toBe(200);
  const text = await local.text();
  expect(text).toContain('holdfast_cluster_state{state="ok"} 1');
  expect(text).toContain('holdfast_node_up{node="1",name="node-1",zone="default"} 1');
  const forwarded = { "x-forwarded-for": "203.0.113.9" };
  expect((await get("/metrics", "nobody", forwarded)).status).toBe(401);
  expect((await get("/metrics", "user", forwarded)).status).toBe(403);
  expect((await get("/metrics", "admin", forwarded)).status).toBe(200);
});

test("an admin orders a fault of a node and ends it; nobody else can, and the log says who did", async () => {
  const order = { fault: "slow", seconds: 60, latencyMs: 200 };
  const at = "/api/cluster/nodes/2";
  for (const [visitor, status] of [
    ["nobody", 401],
    ["user", 403],
  ] as const) {
    expect((await post(`${at}/simulate`, order, { cookie: cookies[visitor] })).status).toBe(status);
    expect((await post(`${at}/recover`, {}, { cookie: cookies[visitor] })).status).toBe(status);
  }
  expect((await post(`${at}/simulate`, order, { cookie: cookies.admin, origin: "http://evil.example" })).status).toBe(403);
  expect(simulated).toEqual([]);

  const answer = await post(`${at}/simulate`, order, { cookie: cookies.admin });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ nodeId: 2, fault: "slow", until: expect.any(String) as string });
  expect(simulated).toEqual([{ kind: "slow", seconds: 60, latencyMs: 200 }]);
  expect((await post(`${at}/recover`, {}, { cookie: cookies.admin })).status).toBe(200);
  expect(simulated).toEqual([]);
  const { items } = await listEvents(database.pool, { nodeId: 2, limit: 2 });
  expect(items.map(({ message }) => message)).toEqual([
    "owner ended what was simulated on node-2.",
    "owner simulated: node-2 slowed down by 200 ms for 60 s.",
  ]);
});

test.each([
  [400, "simulation.invalid", 2, { fault: "flood", seconds: 60 }],
  [400, "simulation.invalid", 2, { fault: "kill" }],
  [400, "simulation.invalid", 2, { fault: "partition", seconds: 86_400 }],
  [400, "simulation.invalid", 2, { fault: "corrupt", seconds: 60, ids: ["00".repeat(32)] }],
  [400, "simulation.invalid", 2, []],
  [404, "simulation.no_such_node", 99, { fault: "slow", seconds: 60 }],
  [409, "simulation.only_embedded", 2, { fault: "kill", seconds: 60 }],
  [409, "simulation.last_copy", 2, { fault: "corrupt", seconds: 60 }],
])("a fault that cannot be: %i %s", async (status, error, node, order) => {
  const answer = await post(`/api/cluster/nodes/${node}/simulate`, order, { cookie: cookies.admin });
  expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([status, error]);
  expect(simulated).toEqual([]);
});

test("the console's own interface does the same, and passes the refusal's words on", async () => {
  const client = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${origin}/api/trpc`, transformer: superjson, headers: { cookie: cookies.admin, origin } })],
  });
  expect(await client.simulation.status.query()).toEqual({ allowed: true, embedded: false, faults: [] });
  await client.simulation.simulate.mutate({ nodeId: 2, fault: { kind: "disk-full", seconds: 60 } });
  expect(simulated).toEqual([{ kind: "disk-full", seconds: 60 }]);
  await client.simulation.recover.mutate({ nodeId: 2 });
  await expect(client.simulation.add.mutate()).rejects.toMatchObject({
    message: expect.stringContaining("only in the embedded cluster") as string,
    data: { code: "simulation.only_embedded", httpStatus: 409 },
  });
});

describe("the password was given long ago", () => {
  const agedSession = async (): Promise<Record<string, string>> => {
    const answer = await post("/api/auth/sign-in/email", { email: "owner@example.org", password });
    const cookie = cookieOf(answer);
    const token = decodeURIComponent(cookie.split("=")[1]!).split(".")[0];
    const { rowCount } = await database.pool.query(
      "UPDATE session SET created_at = now() - $2::bigint * interval '1 millisecond', confirmed_at = NULL WHERE token = $1",
      [token, limits.confirmedForMs],
    );
    expect(rowCount).toBe(1);
    return { cookie };
  };
  const node = "/api/cluster/nodes/2";
  const DANGEROUS: [path: string, body: unknown][] = [
    [`${node}/simulate`, { fault: "slow", seconds: 60 }],
    ["/api/trpc/simulation.simulate", { json: { nodeId: 2, fault: { kind: "slow", seconds: 60 } } }],
    ["/api/trpc/topology.change", { json: { kind: "drain", nodeId: 2 } }],
    ["/api/trpc/topology.change", { json: { kind: "remove", nodeId: 2 } }],
    ["/api/trpc/upkeep.approveGarbageRun", { json: { id: 999_999 } }],
  ];
  const codeIn = async (answer: Response): Promise<string> => {
    const body = (await answer.json()) as { error: string | { json: { data: { code: string } } } };
    return typeof body.error === "string" ? body.error : body.error.json.data.code;
  };

  test.each(DANGEROUS)("%s %j asks for it again, and says where to give it", async (path, body) => {
    const aged = await agedSession();
    const answer = await post(path, body, aged);
    expect(answer.status).toBe(403);
    expect(await answer.clone().text()).toContain("POST /api/confirm");
    expect(await codeIn(answer)).toBe("auth.unconfirmed");
    expect(simulated).toEqual([]);
    for (const visitor of ["nobody", "user"] as const) {
      expect((await post(path, body, { cookie: cookies[visitor] })).status).toBe(visitor === "nobody" ? 401 : 403);
    }
    expect((await post("/api/confirm", { password }, aged)).status).toBe(200);
    expect(await codeIn(await post(path, body, aged)).catch(() => "done")).not.toBe("auth.unconfirmed");
    await post(`${node}/recover`, {}, aged);
    await post("/api/trpc/topology.change", { json: { kind: "activate", nodeId: 2 } }, aged);
    await database.pool.query("UPDATE node SET intent = 'active'");
  });

  test("what does no harm goes on without it", async () => {
    const aged = await agedSession();
    expect((await post(`${node}/recover`, {}, aged)).status).toBe(200);
    expect((await post("/api/trpc/topology.change", { json: { kind: "weight", nodeId: 2, value: 1 } }, aged)).status).toBe(200);
  });

  test("it is given wrong: that is told and recorded, and after a few tries even the right one has to wait", async () => {
    const aged = await agedSession();
    for (let tries = 0; tries < limits.confirmTriesMax; tries++) {
      const answer = await post("/api/confirm", { password: `guess ${tries}` }, aged);
      expect([answer.status, await codeIn(answer)]).toEqual([403, "account.wrong_password"]);
    }
    const other = await agedSession(); // from wherever the same account is signed in
    for (const session of [aged, other]) {
      const answer = await post("/api/confirm", { password }, session);
      expect([answer.status, await codeIn(answer)]).toEqual([429, "account.too_many_tries"]);
    }
    expect((await post(`${node}/simulate`, DANGEROUS[0]![1], aged)).status).toBe(403);
    const { items } = await listEvents(database.pool, { limit: 1 });
    expect(items[0]).toMatchObject({
      kind: "admin.unconfirmed",
      message: expect.stringContaining("owner gave a wrong password") as string,
    });
    await database.pool.query("DELETE FROM rate_limit");
    expect((await post("/api/confirm", { password }, aged)).status).toBe(200);
  });

  test("only who is signed in as an admin gives it, from a page of the console, as the address has it", async () => {
    const aged = await agedSession();
    expect((await post("/api/confirm", { password })).status).toBe(401);
    expect((await post("/api/confirm", { password }, { cookie: cookies.user })).status).toBe(403);
    expect((await post("/api/confirm", { password }, { ...aged, origin: "http://evil.example" })).status).toBe(403);
    for (const body of [{}, { password: 7 }, { password: "" }, { password, more: 1 }]) {
      expect((await post("/api/confirm", body, aged)).status).toBe(400);
    }
    expect((await get("/api/confirm", "admin")).status).toBe(405);
    expect((await post(`${node}/simulate`, DANGEROUS[0]![1], aged)).status).toBe(403);
  });
});

test("what can only be read refuses to be written, and says what it allows", async () => {
  const answer = await post("/api/cluster", {}, { cookie: cookies.admin });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toBe("GET,HEAD");
});

test("the database is away: everything says 503, and nobody is called signed out", async () => {
  const gone = openDatabase("postgresql://holdfast@127.0.0.1:1/holdfast", { onError: () => undefined });
  const away = createAccounts({ database: gone, secret, logger });
  const services = { ...servicesOn(gone), accounts: away };
  const second = await serve(services);
  const at = (path: string) => fetch(`http://127.0.0.1:${second.address.port}${path}`, { headers: { cookie: cookies.admin } });
  try {
    for (const path of ["/api/health", "/api/cluster", "/api/trpc/account.me", "/api/trpc/events.list"]) {
      expect((await at(path)).status, path).toBe(503);
    }
    expect((await at("/")).status).toBe(200);
    expect(await (await at("/metrics")).text()).toContain('holdfast_cluster_state{state="unknown"} 1');
  } finally {
    await second.stop();
    await gone.close();
  }
});

test("the database freezes: health says so within seconds, and is well again when it thaws", async () => {
  const frozen = await startTestPostgres();
  onTestFinished(() => frozen.stop());
  const db = openDatabase(frozen.url, { onError: () => undefined });
  const second = await serve(servicesOn(db));
  const health = () => fetch(`http://127.0.0.1:${second.address.port}/api/health`).then(({ status }) => status);
  try {
    expect(await health()).toBe(200);
    frozen.freeze();
    const askedAt = performance.now();
    expect(await Promise.all([health(), health()])).toEqual([503, 503]);
    expect(performance.now() - askedAt).toBeLessThan(4_000);
    frozen.thaw();
    await expect.poll(health, { timeout: 10_000 }).toBe(200);
  } finally {
    frozen.thaw();
    await second.stop();
    await db.close();
  }
});

const operator = () =>
  createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${origin}/api/trpc`, transformer: superjson, headers: { cookie: cookies.admin, origin } })],
  });

test("an operator pauses healing, limits it and lets it go on: the report shows it, the log says who", async () => {
  const { healing } = operator();
  const orders = async () => {
    const fresh = createClusterState({ pool: database.pool, hasHeard: () => true });
    return (await fresh.read()).healing;
  };
  await ensureClusterId(database.pool);
  await healing.pause.mutate();
  await healing.setRate.mutate({ bytesPerSecond: 20_000_000 });
  expect(await orders()).toEqual({ paused: true, bytesPerSecondMax: 20_000_000 });
  await healing.resume.mutate();
  await healing.setRate.mutate({ bytesPerSecond: null });
  expect(await orders()).toEqual({ paused: false, bytesPerSecondMax: null });
  await expect(healing.setRate.mutate({ bytesPerSecond: 0 })).rejects.toMatchObject({ data: { code: "BAD_REQUEST" } });
  const { items } = await listEvents(database.pool, { limit: 4 });
  expect(items.every(({ kind, message }) => kind.startsWith("healing.") && message.startsWith("owner "))).toBe(true);
});

test("a change of the topology is shown before it is made; one that cannot be is refused in words", async () => {
  const { topology } = operator();
  expect(await topology.preview.query({ kind: "maintenance", nodeId: 2, value: 30 })).toMatchObject({ allowed: true, chunksToMove: 0 });
  expect(await topology.preview.query({ kind: "copies", value: 4 })).toMatchObject({ allowed: false });
  await expect(topology.change.mutate({ kind: "copies", value: 4 })).rejects.toMatchObject({
    message: expect.stringContaining("Add a node") as string,
    data: { code: "topology.refused", httpStatus: 409 },
  });
  await topology.change.mutate({ kind: "maintenance", nodeId: 2, value: 30 });
  const intent = async () => (await database.pool.query<{ intent: string }>("SELECT intent FROM node WHERE id = 2")).rows[0]!.intent;
  expect(await intent()).toBe("maintenance");
  await topology.change.mutate({ kind: "activate", nodeId: 2 });
  expect(await intent()).toBe("active");
  await expect(topology.pause.mutate({ id: 99 })).rejects.toMatchObject({ data: { code: "rebalance.not_open" } });
});

test("safemode and a braked clean-up wait for an operator, who ends them by name", async () => {
  const { upkeep } = operator();
  expect(safemode.isOn()).toBe(true);
  await upkeep.leaveSafemode.mutate();
  expect(safemode.isOn()).toBe(false);

  await leadership.fenced((tx) => brake(tx, "share", "Half of all chunks would go.", { chunks: 20_000, bytes: 1e9 }));
  const [held] = await listBraked(database.pool);
  await upkeep.approveGarbageRun.mutate({ id: held!.id });
  expect(await listBraked(database.pool)).toEqual([]);
  await expect(upkeep.approveGarbageRun.mutate({ id: held!.id })).rejects.toMatchObject({ data: { code: "garbage.not_braked" } });
  const { items } = await listEvents(database.pool, { limit: 3 });
  expect(items.map(({ kind }) => kind)).toEqual(["garbage.approved", "garbage.braked", "safemode.left"]);
});
