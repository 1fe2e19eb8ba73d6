/**
 * The HTTP server under every process that people or programs reach: one place for time limits, guards and the end of life.
 *
 * No limit on a request's total time: a steady upload may take a day. What ends is what stands still: headers that trickle,
 * and a connection on which nothing moves. A long-lived stream must therefore say something now and then.
 *
 * A handler throws what it cannot do; the server answers it. Its promise settles when the handler is done with the request.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { KiB, type Logger, SECOND_MS } from "../kernel/index.ts";
import { EnvironmentError } from "../service/index.ts";
import { answerError, REQUEST_ID_HEADER } from "./answers.ts";
import { checkOrigin, stripHostileHeaders } from "./request-guards.ts";
import { isServerWide, takeRequestTarget } from "./request-target.ts";
import { logWhenFinished } from "./request-log.ts";
import { securityHeaders } from "./security-headers.ts";

const HEADERS_TIMEOUT_MS = 15 * SECOND_MS;
const IDLE_TIMEOUT_MS = 120 * SECOND_MS;
const KEEP_ALIVE_TIMEOUT_MS = 65 * SECOND_MS;
/** Less than a service is given to stop (`runService`). */
const DRAIN_TIMEOUT_MS = 8 * SECOND_MS;

export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

export interface HttpServerOptions {
  /** 0 takes any free port. */
  port: number;
  bind: string;
  handler: RequestHandler;
  logger: Logger;
  /** The setting to name when the port is taken: `HOLDFAST_WEB_PORT`. */
  portSetting: string;
  /** Loosens the content security policy for Next's development server. */
  dev?: boolean;
  /** Believe the forwarding headers of a proxy in front. */
  trustProxy?: boolean;
  /** How long `stop` lets running requests finish. */
  drainTimeoutMs?: number;
  /** A connection on which nothing moves for so long is closed. */
  idleTimeoutMs?: number;
  headersTimeoutMs?: number;
  /**
   * Which requests may become another protocol. The handler answers them like any other, or takes their socket over; then its
   * end is the handler's to see to when the server stops. Without it, requests to upgrade are left to whoever listens for them.
   */
  upgrades?: (req: IncomingMessage) => boolean;
}

export interface HttpServer {
  address: AddressInfo;
  /** Takes no more requests, lets the running ones finish for a while, then cuts the rest off. */
  stop(): Promise<void>;
}

/** Resolves once it listens; rejects with an `EnvironmentError` that names the setting when it cannot. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { headersTimeoutMs = HEADERS_TIMEOUT_MS, idleTimeoutMs = IDLE_TIMEOUT_MS, drainTimeoutMs = DRAIN_TIMEOUT_MS } = options;
  const server = createServer({
    requestTimeout: 0,
    headersTimeout: headersTimeoutMs,
    connectionsCheckingInterval: Math.min(headersTimeoutMs, 5 * SECOND_MS),
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    maxHeaderSize: 16 * KiB,
    ...(options.upgrades && { shouldUpgradeCallback: options.upgrades }),
  });
  server.setTimeout(idleTimeoutMs);
  const idle = new Set<Socket>();
  server.on("connection", (socket) => {
    idle.add(socket);
    socket.once("close", () => idle.delete(socket));
  });
  let draining = false;
  const receive = (req: IncomingMessage, res: ServerResponse): void => {
    const headers = securityHeaders({ nonce: randomUUID(), dev: options.dev });
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    req.headers["content-security-policy"] = headers["content-security-policy"]; // where Next looks for the nonce
    res.setHeader(REQUEST_ID_HEADER, randomUUID());
    logWhenFinished(req, res, options.logger);
    const { socket } = req; // a request that is destroyed lets go of it
    idle.delete(socket);
    res.once("close", () => {
      if (draining) socket.destroySoon();
      else if (!socket.destroyed) idle.add(socket);
    });
    void serve(req, res, options);
  };
  server.on("request", receive);
  if (options.upgrades) server.on("upgrade", (req) => receive(req, lastAnswer(req)));
  await listen(server, options);
  return {
    address: server.address() as AddressInfo,
    stop: () => {
      draining = true;
      idle.forEach((socket) => socket.destroy());
      return close(server, drainTimeoutMs);
    },
  };
}

async function serve(req: IncomingMessage, res: ServerResponse, { handler, logger, trustProxy }: HttpServerOptions): Promise<void> {
  try {
    if (isServerWide(req)) return void res.writeHead(204).end();
    takeRequestTarget(req);
    stripHostileHeaders(req, { trustProxy });
    checkOrigin(req);
    await handler(req, res);
  } catch (error) {
    answerError(res, error, logger);
  }
}

/** An upgrade comes without a response, and its connection takes no request after it. Nor does the server listen to its errors any more. */
function lastAnswer(req: IncomingMessage): ServerResponse {
  req.socket.on("error", () => undefined); // the caller hung up: unheard, that would end the process
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  res.assignSocket(req.socket);
  res.once("finish", () => req.socket.destroySoon());
  return res;
}

function listen(server: Server, { port, bind, portSetting }: HttpServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenFault(error, port, bind, portSetting)));
    server.listen(port, bind, resolve);
  });
}

function listenFault(error: NodeJS.ErrnoException, port: number, bind: string, portSetting: string): Error {
  switch (error.code) {
    case "EADDRINUSE":
      return new EnvironmentError(`Port ${port} is in use. Stop what uses it, or set ${portSetting} to another port.`, { cause: error });
    case "EACCES":
      return new EnvironmentError(`Port ${port} may not be opened by this user. Set ${portSetting} to a port above 1023.`, {
        cause: error,
      });
    case "EADDRNOTAVAIL":
      return new EnvironmentError(`This machine has no address ${bind}. Set HOLDFAST_BIND to one that it has.`, { cause: error });
    default:
      return error;
  }
}

function close(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => server.closeAllConnections(), timeoutMs);
    server.close(() => {
      clearTimeout(limit);
      resolve();
    });
  });
}
