/** A node that nobody can reach, and that reaches nobody: its connections break, its heartbeats get nowhere. */
import type { ServerResponse } from "node:http";
import { ChunkStoreError } from "@holdfast/core/chunk-store";
import type { RequestHandler } from "@holdfast/core/http-edge";
import type { connectController } from "@holdfast/core/node-registration";
import type { NodeFaults } from "./node-faults.ts";
import { isSimulationRoute } from "./routes.ts";

/** What gRPC says of a server that cannot be reached. */
const UNAVAILABLE = 14;

type ControllerClient = ReturnType<typeof connectController>;

/** Breaks every exchange while the partition lasts, those under way included; only the way out of it stays open. */
export function reachableUnlessCutOff(handler: RequestHandler, faults: NodeFaults): RequestHandler {
  const underWay = new Set<ServerResponse>();
  faults.onPartition(() => underWay.forEach((res) => res.destroy()));
  return async (req, res) => {
    if (!isSimulationRoute(req.url!)) {
      if (faults.has("partition")) return void req.socket.destroy();
      underWay.add(res);
      res.once("close", () => underWay.delete(res));
    }
    await handler(req, res);
  };
}

/** For a door that can only refuse: throws what a caller of a node that is cut off finds. */
export function requireReachable(faults: NodeFaults): void {
  if (faults.has("partition")) throw new ChunkStoreError("store.unreachable", "This node is cut off from the network: a simulated fault.");
}

/** The controller, out of reach while the partition lasts. */
export function controllerUnlessCutOff(controller: ControllerClient, faults: NodeFaults): ControllerClient {
  const across = <T>(call: () => Promise<T>): Promise<T> => (faults.has("partition") ? Promise.reject(cutOff()) : call());
  return {
    registerNode: (request) => across(() => controller.registerNode(request)),
    heartbeat: (request) => across(() => controller.heartbeat(request)),
    close: () => controller.close(),
  };
}

function cutOff(): Error {
  return Object.assign(new Error("cut off"), { code: UNAVAILABLE, details: "cut off from the network: a simulated fault" });
}
