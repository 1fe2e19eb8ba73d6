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

/** What another controller may answer better: this one does not lead, has no database, is gone, or hangs. */
const WORTH_ANOTHER: ReadonlySet<grpc.status | undefined> = new Set([grpc.status.UNAVAILABLE, grpc.status.DEADLINE_EXCEEDED]);

/**
 * `addresses` are `host:port`, one for each controller; whichever leads is found by asking, and asked first from then on.
 * Connects at the first call and again whenever the connection was lost.
 */
export function connectController(addresses: readonly string[], clusterKey: string, clock: Clock = systemClock): ControllerClient {
  const clients = addresses.map((address) => createServiceClient(ControllerService, address, grpc.credentials.createInsecure(), RECONNECT));
  let preferred = 0;

  const optionsFor = (method: keyof typeof ControllerService.method) => {
    const path = `/${ControllerService.typeName}/${ControllerService.method[method].name}`;
    const metadata = new grpc.Metadata();
    for (const [name, value] of Object.entries(signRequest(clusterKey, { method: "GRPC", path }, clock))) metadata.set(name, value);
    return { metadata, deadline: new Date(Date.now() + limits.heartbeatIntervalMs) }; // grpc-js compares it with the real clock
  };
  const askTheLeader = async <T>(call: (client: ServiceClient<typeof ControllerService>) => Promise<T>): Promise<T> => {
    for (let asked = 1; ; asked++) {
      try {
        return await call(clients[preferred]!);
      } catch (error) {
        if (!WORTH_ANOTHER.has((error as grpc.ServiceError).code)) throw error;
        preferred = (preferred + 1) % clients.length;
        if (asked === clients.length) throw error;
      }
    }
  };

  return {
    registerNode: (request) => askTheLeader((client) => client.registerNode(request, optionsFor("registerNode"))),
    heartbeat: (request) => askTheLeader((client) => client.heartbeat(request, optionsFor("heartbeat"))),
    close: () => clients.forEach((client) => client.close()),
  };
}
