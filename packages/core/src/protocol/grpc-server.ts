import type { EventEmitter } from "node:events";
import { addAbortSignal, type Writable } from "node:stream";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { KiB, type Logger, SECOND_MS } from "../kernel/index.ts";
import { createRequestVerifier, type SignatureVerdict } from "../request-signing/index.ts";
import { EnvironmentError } from "../service/index.ts";
import type { CallFailure } from "./call-failure.ts";
import { CallError } from "./errors.ts";
import { grpcDefinition, type CallContext, type ServiceHandlers } from "./grpc.ts";

const MESSAGE_BYTES_MAX = 80 * KiB;
const DRAIN_TIMEOUT_MS = 1 * SECOND_MS;
const CALL_TIMEOUT_MS = 60 * SECOND_MS;

export interface GrpcServerOptions {
  bind: string;
  /** 0 takes any free port. */
  port: number;
  /** Who listens, at the head of a sentence, and the setting to name when the port is taken. */
  name: string;
  portSetting: string;
  clusterKey: string;
  /** The answer to a call that failed. */
  statusOf: (error: unknown) => CallFailure;
  /** What one call may take at most. */
  callTimeoutMs?: number;
  logger: Logger;
}

export interface GrpcServer {
  port: number;
  /** Lets the calls under way finish. */
  stop(): Promise<void>;
}

/**
 * Serves one service, none of whose methods streams both ways. Nothing behind it runs before the caller's signature is
 * verified. Rejects with an `EnvironmentError` when the port cannot be had.
 */
export async function startGrpcServer<S extends DescService>(
  service: S,
  handlers: ServiceHandlers<S>,
  options: GrpcServerOptions,
): Promise<GrpcServer> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": MESSAGE_BYTES_MAX });
  const guard = createGuard(options);
  const calls = service.methods.map((method) => [method.localName, serving(method, handlers, guard)]);
  server.addService(grpcDefinition(service), Object.fromEntries(calls) as grpc.UntypedServiceImplementation);
  const boundPort = await listen(server, options);
  return { port: boundPort, stop: () => drain(server) };
}

type Handler = (request: unknown, context: CallContext) => unknown;
type UnaryCall = grpc.ServerUnaryCall<unknown, unknown>;
type IncomingCall = grpc.ServerReadableStream<unknown, unknown>;
type OutgoingCall = grpc.ServerWritableStream<unknown, unknown>;
type Answer = (failure: CallFailure | null, response: unknown) => void;

interface Guarded {
  method: DescMethod;
  call: UnaryCall | IncomingCall | OutgoingCall;
  work: (context: CallContext) => Promise<unknown>;
  answer: Answer;
}

type Guard = (guarded: Guarded) => Promise<void>;

/** Runs the work of a call for whoever may ask for it, for no longer than it may take, and answers. Never rejects. */
function createGuard({ clusterKey, statusOf, callTimeoutMs = CALL_TIMEOUT_MS, logger }: GrpcServerOptions): Guard {
  const verifier = createRequestVerifier(clusterKey);

  return async ({ method, call, work, answer }) => {
    const gone = new AbortController();
    const slow = setTimeout(() => gone.abort(tooSlow(callTimeoutMs)), callTimeoutMs);
    (call as EventEmitter).once("cancelled", () => gone.abort());
    try {
      requireSignature(
        verifier.verify({ method: "GRPC", path: call.getPath(), headers: textOf(call.metadata), repeatable: isRepeatable(method) }),
      );
      answer(null, await work({ gone: gone.signal }));
    } catch (error) {
      const failure = statusOf(gone.signal.reason instanceof CallError ? gone.signal.reason : error);
      logger.debug({ path: call.getPath(), peer: call.getPeer(), ...failure }, "refused a call");
      answer(failure, null);
    } finally {
      clearTimeout(slow);
    }
  };
}

function serving(method: DescMethod, handlers: object, guard: Guard) {
  const handler = (handlers as Record<string, Handler>)[method.localName]!;
  switch (method.methodKind) {
    case "unary":
      return (call: UnaryCall, answer: Answer) =>
        void guard({ method, call, answer, work: async (context) => await handler(call.request, context) });
    case "client_streaming":
      return (call: IncomingCall, answer: Answer) =>
        void guard({ method, call, answer, work: async (context) => await handler(addAbortSignal(context.gone, call), context) });
    case "server_streaming":
      return (call: OutgoingCall) =>
        void guard({
          method,
          call,
          answer: (failure) => (failure === null ? call.end() : call.emit("error", failure)),
          work: async (context) => await sendAll(call, handler(call.request, context) as AsyncIterable<unknown>, context),
        });
    case "bidi_streaming":
      throw new Error(`${method.name} streams both ways, which nothing here serves`);
  }
}

/** One message at a time is on its way. */
async function sendAll(call: Writable, messages: AsyncIterable<unknown>, { gone }: CallContext): Promise<void> {
  const { promise: left, reject: leave } = Promise.withResolvers<never>();
  left.catch(() => undefined); // it may happen while nobody waits
  gone.addEventListener("abort", () => leave(gone.reason as Error), { once: true });
  for await (const message of messages) {
    const { promise: sent, resolve } = Promise.withResolvers<void>();
    call.write(message, () => resolve());
    await Promise.race([sent, left]);
  }
}

function requireSignature(verdict: SignatureVerdict): void {
  if (verdict === "valid") return;
  const remedy =
    verdict === "expired"
      ? "The clocks of the two machines differ too much; set them by NTP."
      : "Check that HOLDFAST_CLUSTER_KEY is the same on both sides.";
  throw new CallError("call.unauthenticated", `The signature of this call is ${verdict}. ${remedy}`);
}

/** As `proto/` says. */
function isRepeatable({ idempotency }: DescMethod): boolean {
  return idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN;
}

function tooSlow(callTimeoutMs: number): CallError {
  return new CallError("call.too_slow", `This call took longer than ${callTimeoutMs / SECOND_MS} s.`);
}

function textOf(metadata: grpc.Metadata): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.getMap()).map(([name, value]) => [name, value.toString()]));
}

function listen(server: grpc.Server, { bind, port, name, portSetting }: GrpcServerOptions): Promise<number> {
  const host = bind.includes(":") ? `[${bind}]` : bind;
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, grpc.ServerCredentials.createInsecure(), (error, boundPort) => {
      if (error === null) resolve(boundPort);
      else {
        const message = `${name} cannot listen on ${bind}:${port}. Stop what uses this port, or set ${portSetting} to another.`;
        reject(new EnvironmentError(message, { cause: error }));
      }
    });
  });
}

function drain(server: grpc.Server): Promise<void> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => server.forceShutdown(), DRAIN_TIMEOUT_MS);
    server.tryShutdown(() => {
      clearTimeout(limit);
      resolve();
    });
  });
}
