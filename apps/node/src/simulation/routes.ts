/** How a node is told to simulate a fault, and to stop. The only routes that a partition does not cut. */
import { nodeFault, SimulationError } from "@holdfast/core/fault-simulation";
import { answerJson, readJson } from "@holdfast/core/http-edge";
import type { Exchange, Route } from "../route.ts";
import type { NodeFaults } from "./node-faults.ts";

const BEGIN = "/simulate";
const END = "/recover";

export function isSimulationRoute(url: string): boolean {
  return url === BEGIN || url === END;
}

/** `allowed` is HOLDFAST_SIMULATE_FAULTS; without it every route refuses with `simulation.off`. */
export function simulationRoutes(faults: NodeFaults, allowed: boolean): Route[] {
  async function begin({ req, res }: Exchange): Promise<void> {
    const parsed = nodeFault.safeParse(await readJson(req));
    if (!parsed.success) {
      const issues = parsed.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
      throw new SimulationError("simulation.invalid", "A node simulates no such fault on itself.", { issues });
    }
    await faults.begin(parsed.data);
    answerJson(res, 200, { faults: faults.active() });
  }

  async function end({ res }: Exchange): Promise<void> {
    await faults.recover();
    answerJson(res, 200, { faults: faults.active() });
  }

  async function list({ res }: Exchange): Promise<void> {
    answerJson(res, 200, { faults: faults.active() });
  }

  const route = (method: Route["method"], path: string, serve: (exchange: Exchange) => Promise<void>): Route => ({
    method,
    path,
    access: "cluster",
    async serve(exchange) {
      requireAllowed(allowed);
      await serve(exchange);
    },
  });
  return [route("POST", BEGIN, begin), route("POST", END, end), route("GET", BEGIN, list)];
}

function requireAllowed(allowed: boolean): void {
  if (allowed) return;
  throw new SimulationError(
    "simulation.off",
    "This node does not simulate faults. Set HOLDFAST_SIMULATE_FAULTS=1 where it runs, and never where data matters.",
  );
}
