/** What the console may ask of the supervisor: faults of the nodes' processes, one more node, or one less. */
import { type Supervisor, SimulationError, type ProcessAddress } from "@holdfast/core/fault-simulation";
import type { NodeFleet } from "./node-fleet.ts";
import type { ProcessFaults } from "./process-faults.ts";
import type { ServiceProcess } from "./service-process.ts";

export interface ControlOptions {
  /** Where the fleet's nodes say they are. */
  host: string;
  fleet: NodeFleet;
  faults: ProcessFaults;
  /** HOLDFAST_SIMULATE_FAULTS. */
  simulateFaults: boolean;
}

export function createControl({ host, fleet, faults, simulateFaults }: ControlOptions): Supervisor {
  const processAt = (address: ProcessAddress): ServiceProcess | undefined => (address.host === host ? fleet.find(address.port) : undefined);
  return {
    async simulate(address, fault) {
      if (!simulateFaults)
        throw new SimulationError("simulation.off", "This cluster does not simulate faults: HOLDFAST_SIMULATE_FAULTS is off.");
      const node = processAt(address);
      if (node === undefined) {
        const message = `The node at ${address.host}:${address.port} is not one that this supervisor runs. This fault can be simulated only in the embedded cluster.`;
        throw new SimulationError("simulation.only_embedded", message);
      }
      await faults.begin(node, fault);
    },
    async recover(address) {
      const node = processAt(address);
      if (node !== undefined) await faults.end(node);
    },
    async active() {
      return faults.active().map(({ node, kind, until }) => ({ kind, until, host, port: fleet.portOf(node) }));
    },
    addNode: () => fleet.add(),
    async retireNode(address, name) {
      const node = processAt(address);
      if (node?.name !== name) return; // its port is another's now
      await faults.end(node);
      await fleet.retire(node);
    },
  };
}
