import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { createLogger, MiB } from "../kernel/index.ts";
import { EnvironmentError } from "../service/index.ts";
import { answerJson } from "./answers.ts";
import { HttpEdgeError } from "./errors.ts";
import { type HttpServer, type HttpServerOptions, startHttpServer } from "./server.ts";

const servers: HttpServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

async function start(handler: HttpServerOptions["handler"], more: Partial<HttpServerOptions> = {}) {
  const server = await startHttpServer({
    port: 0,
    bind: "127.0.0.1",
    portSetting: "HOLDFAST_WEB_PORT",
    logger: createLogger("test", "silent"),
    handler,
    ...more,
  });
  servers.push(server);
  return { server, port: server.address.port, url: `http://127.0.0.1:${server.address.port}` };
}

const ok: HttpServerOptions["handler"] = async (req, res) => answerJson(res, 200, { headers: req.headers });

test("a port that is taken is one line that names the setting", async () => {
  const { port } = await start(ok);
  const second = start(ok, { port });
  await expect(second).rejects.toThrow(EnvironmentError);
  await expect(second).rejects.toThrow(`Port ${port} is in use. Stop what uses it, or set HOLDFAST_WEB_PORT to another port.`);
});

test("every answer forbids sniffing and framing, and can be quoted by its id", async () => {
  const { url } = await start(ok);
  const { headers } = await fetch(url);
  const again = await fetch(url);
  expect(again.headers.get("content-security-policy")).not.toBe(headers.get("content-security-policy"));
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  expect(headers.get("holdfast-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});

/** A request exactly as written. */
async function ask(port: number, ...lines: string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write([...lines, "Connection: close", "", ""].join("\r\n"));
  return (await socket.toArray()).join("");
}

test("a whole URL in the first line is its path, and its host is the one that counts", async () => {
  const { port } = await start(async (req, res) => answerJson(res, 200, { path: req.url, host: req.headers.host }));
  const answers = await Promise.all(
    ["http://drive.example:3000/a/b?c=%2F", "HTTP://drive.example", "https://drive.example?q"].map((target) =>
      ask(port, `GET ${target} HTTP/1.1`, "Host: other.example"),
    ),
  );
  expect(answers.map((answer) => JSON.parse(answer.split("\r\n\r\n")[1]!))).toEqual([
    { path: "/a/b?c=%2F", host: "drive.example:3000" },
    { path: "/", host: "drive.example" },
    { path: "/?q", host: "drive.example" },
  ]);
});

test("what names no address is refused; a question about the whole server is answered", async () => {
  const { port } = await start(ok);
  for (const target of ["*", "http://", "http://user@drive.example/", "ftp://drive.example/"]) {
    expect(await ask(port, `GET ${target} HTTP/1.1`, "Host: x"), target).toMatch(/^HTTP\/1\.1 400 .*request\.bad_target/s);
  }
  expect(await ask(port, "OPTIONS * HTTP/1.1", "Host: x")).toMatch(/^HTTP\/1\.1 204 /);
});

test("a whole URL does not make another site's page ours", async () => {
  const { port } = await start(ok);
  const answer = await ask(
    port,
    "POST http://drive.example/ HTTP/1.1",
    "Host: evil.example",
    "Origin: http://evil.example",
    "Content-Length: 0",
  );
  expect(answer).toMatch(/^HTTP\/1\.1 403 .*request\.cross_site/s);
});

test("headers that only our own components may set never reach a handler", async () => {
  const { url } = await start(ok);
  const hostile = {
    "x-middleware-subrequest": "src/middleware:src/middleware",
    "x-middleware-rewrite": "/admin",
    "x-nextjs-data": "1",
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-host": "evil.example",
    forwarded: "for=127.0.0.1",
    "x-real-ip": "127.0.0.1",
  };
  const { headers } = (await (await fetch(url, { headers: { ...hostile, "x-kept": "yes" } })).json()) as { headers: object };
  expect(headers).toMatchObject({ "x-kept": "yes" });
  for (const name of Object.keys(hostile)) expect(headers).not.toHaveProperty(name);
});

test("behind a configured proxy its forwarding headers are kept", async () => {
  const { url } = await start(ok, { trustProxy: true });
  const answer = await fetch(url, { headers: { "x-forwarded-for": "192.0.2.7", "x-middleware-next": "1" } });
  const { headers } = (await answer.json()) as { headers: object };
  expect(headers).toMatchObject({ "x-forwarded-for": "192.0.2.7" });
  expect(headers).not.toHaveProperty("x-middleware-next");
});

test("a handler that stops reading in the midst of a body does not take the server with it", async () => {
  const { url } = await start(async (req, res) => {
    for await (const _part of req) throw new HttpEdgeError("auth.required", "Sign in first.");
    await ok(req, res);
  });
  await fetch(url, { method: "POST", body: "x".repeat(1_000_000) }).catch(() => undefined); // cut off or answered
  expect((await fetch(url)).status).toBe(200);
});

test("what a handler throws is answered: a domain's error by its code, anything else as internal, telling nothing", async () => {
  const { url } = await start(async (req) => {
    if (req.url === "/known") throw new HttpEdgeError("auth.required", "Sign in first.");
    throw new Error("the secret is swordfish");
  });
  const known = await fetch(`${url}/known`);
  expect([known.status, await known.json()]).toEqual([401, { error: "auth.required", message: "Sign in first." }]);
  const unknown = await fetch(url);
  expect(unknown.status).toBe(500);
  const body = await unknown.text();
  expect(JSON.parse(body)).toMatchObject({ error: "internal", requestId: unknown.headers.get("holdfast-request-id") });
  expect(body).not.toContain("swordfish");
});

test("an error after the first bytes cuts the connection: nobody takes the half for the whole", async () => {
  const { url } = await start(async (_req, res) => {
    res.writeHead(200, { "content-length": 100 });
    res.write("half");
    throw new Error("lost the rest");
  });
  await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow("terminated");
});

test("a change asked for by another site's page never reaches the handler", async () => {
  const reached: string[] = [];
  const { url } = await start(async (req, res) => {
    reached.push(req.method!);
    answerJson(res, 200, {});
  });
  const answer = await fetch(url, { method: "POST", headers: { origin: "https://evil.example" }, body: "x".repeat(100_000) });
  expect(answer.status).toBe(403);
  expect(await answer.json()).toMatchObject({ error: "request.cross_site" });
  expect(reached).toEqual([]);
});

test("a client that is refused in the middle of sending still reads why, though it reads late", async () => {
  const { port } = await start(async () => {
    throw new HttpEdgeError("auth.required", "Sign in first.");
  });
  const socket = connect(port, "127.0.0.1");
  socket.write(`PATCH / HTTP/1.1\r\nHost: x\r\nContent-Length: ${20 * MiB}\r\n\r\n`);
  for (let sent = 0; sent < 20; sent++) {
    socket.write(Buffer.alloc(MiB));
    await sleep(10);
  }
  const answer = (await socket.toArray()).join("");
  expect(answer).toMatch(/^HTTP\/1.1 401 .*connection: close.*auth\.required/is);
});

test("a request under way is finished when the server stops; idle connections are closed at once", async () => {
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const { server, url, port } = await start(async (_req, res) => {
    begun.resolve();
    await release.promise;
    answerJson(res, 200, { done: true });
  });
  const idle = connect(port, "127.0.0.1");
  await once(idle, "connect");
  const answer = fetch(url);
  await begun.promise;
  const stopped = server.stop();
  await once(idle.resume(), "close");
  release.resolve();
  expect(await (await answer).json()).toEqual({ done: true });
  await stopped;
  await expect(fetch(url)).rejects.toThrow("fetch failed");
});

test("a request that never ends is cut off when the drain is over", async () => {
  const { server, url } = await start(() => new Promise(() => undefined), { drainTimeoutMs: 50 });
  const answer = fetch(url).catch((error: unknown) => error);
  await sleep(20);
  await server.stop();
  expect(await answer).toBeInstanceOf(Error);
});

test("slowloris: headers that trickle in are answered 408 and cut off", async () => {
  const { port } = await start(ok, { headersTimeoutMs: 100 });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
  let received = "";
  socket.on("data", (bytes) => (received += String(bytes)));
  await once(socket, "close");
  expect(received).toContain("408");
});

test("a connection on which nothing moves is closed; one that moves slowly is not", async () => {
  const { port, url } = await start(
    async (req, res) => {
      for await (const _ of req);
      answerJson(res, 200, {});
    },
    { idleTimeoutMs: 300 },
  );
  const still = request({ port, method: "POST", headers: { "content-length": 10 } }).on("error", () => undefined);
  still.write("x");
  await new Promise((resolve) => still.once("close", resolve));

  const answer = await fetch(url, { method: "POST", body: ReadableStream.from(slowly()), duplex: "half" });
  expect(answer.status).toBe(200);
});

async function* slowly() {
  for (let i = 0; i < 8; i++) {
    await sleep(60);
    yield new TextEncoder().encode("x");
  }
}

test("whoever asks to upgrade and hangs up before the answer ends nothing but the own connection", async () => {
  const heard: number[] = [];
  const handler: HttpServerOptions["handler"] = async ({ socket }) => {
    heard.push(socket.listenerCount("error"));
    await sleep(10);
    throw new HttpEdgeError("request.not_found", "There is nothing at this address.");
  };
  const { port } = await start(handler, { upgrades: () => true });
  for (let caller = 0; caller < 20; caller++) {
    const socket = connect(port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\nUpgrade: another/1\r\n\r\n");
    await once(socket, "connect");
    await sleep(2);
    socket.resetAndDestroy();
  }
  await expect.poll(() => heard).toHaveLength(20);
  expect(Math.min(...heard)).toBeGreaterThan(0);
  await sleep(50); // an error that nobody hears fails the run
});
