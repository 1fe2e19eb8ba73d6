/** Fault simulation for programs: `POST /api/cluster/nodes/:id/simulate` and `/recover`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type SimulatedFault, simulatedFault, SimulationError } from "@holdfast/core/fault-simulation";
import { answerJson, readJson, type RequestHandler } from "@holdfast/core/http-edge";
import { z } from "zod";
import { requireAdmin, requireConfirmedAdmin, requirePost } from "./access.ts";
import type { Services } from "./services.ts";

const PATH = /^\/api\/cluster\/nodes\/([0-9]{1,5})\/(simulate|recover)$/;

/** A fault as its kind and, beside it, what else it needs. */
const order = z
  .looseObject({ fault: z.string() })
  .transform(({ fault, ...rest }) => ({ ...rest, kind: fault }))
  .pipe(simulatedFault);

/** Undefined for an address that is none of these. */
export function simulationRoute(services: Services, path: string): RequestHandler | undefined {
  const [, id, what] = PATH.exec(path) ?? [];
  if (id === undefined) return undefined;
  const serve = what === "simulate" ? simulate : recover;
  return async (req, res) => {
    requirePost(req);
    await serve(services, Number(id), req, res);
  };
}

async function simulate({ accounts, simulation }: Services, nodeId: number, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const actor = await requireConfirmedAdmin(accounts, req.headers);
  const fault = parseOrder(await readJson(req));
  const { until } = await simulation.simulate(actor, nodeId, fault);
  answerJson(res, 200, { nodeId, fault: fault.kind, until });
}

async function recover({ accounts, simulation }: Services, nodeId: number, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const actor = await requireAdmin(accounts, req.headers);
  await simulation.recover(actor, nodeId);
  answerJson(res, 200, { nodeId });
}

function parseOrder(body: unknown): SimulatedFault {
  const parsed = order.safeParse(body);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  const message = `Send {"fault": "kill", "seconds": 60}, or pause, partition, slow, disk-full, corrupt or clone, for at most an hour.`;
  throw new SimulationError("simulation.invalid", message, { issues });
}
