import * as grpc from "@grpc/grpc-js";
import { type Clock, limits, SECOND_MS, systemClock } from "../kernel/index.ts";
import { ControllerService, createServiceClient, type ServiceClient } from "../protocol/index.ts";
import { signRequest } from "../request-signing/index.ts";

/** The controller's calls, signed and with a deadline. They reject with `grpc.ServiceError`. */
export type ControllerClient = {
  [Method in "registerNode" | "heartbeat"]: (
    request: Parameters<ServiceClient<typeof ControllerService>[Method]>[0],
  ) => ReturnType<ServiceClient<typeof ControllerService>[Method]>;
} & { close(): void };

/** grpc-js would wait up to two minutes before it tries a restarted controller again. */
const RECONNECT = { "grpc.initial_reconnect_backoff_ms": SECOND_MS / 5, "grpc.max_reconnect_backoff_ms": 2 * SECOND_MS };

/** `address` is `host:port`. Connects at the first call and again whenever the connection was lost. */
export function connectController(address: string, clusterKey: string, clock: Clock = systemClock): ControllerClient {
  const client = createServiceClient(ControllerService, address, grpc.credentials.createInsecure(), RECONNECT);
  const options = (method: keyof typeof ControllerService.method) => {
    const path = `/${ControllerService.typeName}/${ControllerService.method[method].name}`;
    const metadata = new grpc.Metadata();
    for (const [name, value] of Object.entries(signRequest(clusterKey, { method: "GRPC", path }, clock))) metadata.set(name, value);
    return { metadata, deadline: new Date(Date.now() + limits.heartbeatIntervalMs) }; // grpc-js compares it with the real clock
  };
  return {
    registerNode: (request) => client.registerNode(request, options("registerNode")),
    heartbeat: (request) => client.heartbeat(request, options("heartbeat")),
    close: () => client.close(),
  };
}
