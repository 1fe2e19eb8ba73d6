import type { DescService } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { KiB, type Logger, SECOND_MS } from "../kernel/index.ts";
import { grpcDefinition, type ServiceHandlers } from "../protocol/index.ts";
import { createRequestVerifier, type RequestVerifier, type SignatureVerdict } from "../request-signing/index.ts";
import { EnvironmentError } from "../service/index.ts";
import { ControllerError } from "./errors.ts";
import { grpcStatusOf } from "./grpc-status.ts";

const MESSAGE_BYTES_MAX = 64 * KiB;
const DRAIN_TIMEOUT_MS = 1 * SECOND_MS;

export interface GrpcServerOptions {
  bind: string;
  /** 0 takes any free port. */
  port: number;
  clusterKey: string;
  logger: Logger;
}

export interface GrpcServer {
  port: number;
  /** Lets the calls under way finish. */
  stop(): Promise<void>;
}

/** Serves the unary methods of one service. Nothing behind it runs before the caller's signature is verified. */
export async function startGrpcServer<S extends DescService>(
  service: S,
  handlers: ServiceHandlers<S>,
  { bind, port, clusterKey, logger }: GrpcServerOptions,
): Promise<GrpcServer> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": MESSAGE_BYTES_MAX });
  const verifier = createRequestVerifier(clusterKey);
  const calls = service.methods.map(({ name, localName }) => {
    const handler = (handlers as Record<string, Handler>)[localName]!;
    return [localName, guarded(`/${service.typeName}/${name}`, handler, verifier, logger)];
  });
  server.addService(grpcDefinition(service), Object.fromEntries(calls) as grpc.UntypedServiceImplementation);
  const boundPort = await listen(server, bind, port);
  return { port: boundPort, stop: () => drain(server) };
}

type Handler = (request: unknown, metadata: grpc.Metadata) => Promise<unknown>;

function guarded(path: string, handler: Handler, verifier: RequestVerifier, logger: Logger): grpc.handleUnaryCall<unknown, unknown> {
  const answer = async ({ request, metadata }: grpc.ServerUnaryCall<unknown, unknown>): Promise<unknown> => {
    requireSignature(verifier.verify({ method: "GRPC", path, headers: textOf(metadata) }));
    return handler(request, metadata);
  };
  const respond = async (call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>): Promise<void> => {
    const outcome = await answer(call).then(
      (response) => ({ failure: null, response }),
      (error: unknown) => ({ failure: grpcStatusOf(error, logger), response: null }),
    );
    if (outcome.failure !== null) logger.debug({ path, peer: call.getPeer(), ...outcome.failure }, "refused a call");
    done(outcome.failure, outcome.response);
  };
  return (call, done) => void respond(call, done);
}

function requireSignature(verdict: SignatureVerdict): void {
  if (verdict === "valid") return;
  const remedy =
    verdict === "expired"
      ? "The clocks of the two machines differ too much; set them by NTP."
      : "Check that HOLDFAST_CLUSTER_KEY is the same on both sides.";
  throw new ControllerError("call.unauthenticated", `The signature of this call is ${verdict}. ${remedy}`);
}

function textOf(metadata: grpc.Metadata): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata.getMap()).map(([name, value]) => [name, value.toString()]));
}

function listen(server: grpc.Server, bind: string, port: number): Promise<number> {
  const host = bind.includes(":") ? `[${bind}]` : bind;
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, grpc.ServerCredentials.createInsecure(), (error, boundPort) => {
      if (error === null) resolve(boundPort);
      else {
        const message = `The controller cannot listen on ${bind}:${port}. Stop what uses this port, or set HOLDFAST_CONTROLLER_PORT to another.`;
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
