import type { Logger } from "@holdfast/core/kernel";
import { type GrpcServer, type ServiceHandlers, startGrpcServer, StorageService } from "@holdfast/core/protocol";
import { EnvironmentError } from "@holdfast/core/service";
import { grpcStatusOf } from "./grpc-status.ts";

export interface ListenOptions {
  bind: string;
  /** What the environment asks for; undefined to derive it from `httpPort`. */
  port: number | undefined;
  /** 0 for any: this one is any then, too. */
  httpPort: number;
  clusterKey: string;
  logger: Logger;
}

const ABOVE_HTTP = 100;
const PORT_MAX = 65_535;

/**
 * Rejects with an `EnvironmentError` when a port that was asked for is taken. One that nobody asked for is no reason not to
 * start: the node tells the controller which it has.
 */
export async function startStorageService(service: ServiceHandlers<typeof StorageService>, options: ListenOptions): Promise<GrpcServer> {
  const { logger } = options;
  const listen = (port: number): Promise<GrpcServer> =>
    startGrpcServer(StorageService, service, {
      ...options,
      port,
      name: "The node's StorageService",
      portSetting: "HOLDFAST_NODE_GRPC_PORT",
      statusOf: (error) => grpcStatusOf(error, logger),
    });
  if (options.port !== undefined) return await listen(options.port);
  try {
    return await listen(derivedPort(options.httpPort));
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    logger.warn({ err: error }, "another port is taken for gRPC");
    return await listen(0);
  }
}

function derivedPort(httpPort: number): number {
  const port = httpPort + ABOVE_HTTP;
  return httpPort === 0 || port > PORT_MAX ? 0 : port;
}
