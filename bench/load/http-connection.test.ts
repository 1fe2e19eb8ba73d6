import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { headerOf, HttpPool } from "./http-connection.ts";
import { payload } from "./payload.ts";

const servers: Server[] = [];
const pools: HttpPool[] = [];
afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
  for (const server of servers.splice(0)) server.close();
});

async function poolFor(server: Server): Promise<HttpPool> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const pool = new HttpPool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  pools.push(pool);
  return pool;
}

const serving = (listener: RequestListener) => poolFor(createHttpServer(listener));
const saying = (say: (socket: Socket) => void) => poolFor(createServer((socket) => void socket.once("data", () => say(socket))));
const get = { method: "GET", path: "/", headers: {} };

test("a body of a known length, one in chunks and none at all: each ends where it ends, and the connection is used again", async () => {
  const connections = new Set<Socket>();
  const pool = await serving((req, res) => {
    connections.add(req.socket);
    if (req.url === "/length") res.writeHead(200, { "content-length": 300_000 }).end(Buffer.alloc(300_000));
    else if (req.url === "/chunks") res.writeHead(200).write("a", () => res.end(Buffer.alloc(300_000)));
    else res.writeHead(204, { "holdfast-entry-id": "7" }).end();
  });
  expect((await pool.exchange({ ...get, path: "/length" }, 200)).bodyBytes).toBe(300_000);
  expect((await pool.exchange({ ...get, path: "/chunks" }, 200)).bodyBytes).toBeGreaterThan(300_000); // with the lengths between them
  expect(headerOf((await pool.exchange(get, 204)).head, "Holdfast-Entry-Id")).toBe("7");
  expect(connections.size).toBe(1);
});

test("an answer that comes byte by byte is the same answer", async () => {
  const text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  const pool = await saying((socket) => {
    socket.setNoDelay();
    const letters = text.split("").values();
    const next = (): void => {
      const { value } = letters.next();
      if (value !== undefined) socket.write(value, () => setImmediate(next));
    };
    next();
  });
  expect(await pool.exchange(get, 200)).toMatchObject({ status: 200, text: "3\r\nabc\r\n0\r\n\r\n" });
});

test("a refusal in the middle of a body is told, and the rest is not sent", async () => {
  let received = 0;
  const pool = await serving((req, res) => {
    req.once("data", () => res.writeHead(507, { "content-length": 4 }).end("full"));
    req.on("data", (part: Buffer) => void (received += part.length));
  });
  const length = 256 << 20;
  const sent = pool.exchange({ ...get, method: "PUT", body: { length, parts: payload(length) } }, 201);
  await expect(sent).rejects.toThrow("PUT / answered 507: full");
  expect(received).toBeLessThan(length);
});

test("a connection that ends in the middle of an answer is no answer", async () => {
  const pool = await saying((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
  await expect(pool.exchange(get, 200)).rejects.toThrow("closed the connection");
});
