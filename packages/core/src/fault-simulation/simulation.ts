/**
 * Faults on purpose, so that people can see what the cluster does about them: really done, for a time, to one node.
 *
 * What must never happen is that a rehearsal loses data. So nothing is done that would put the last good copy of any chunk out
 * of reach, or damage a copy that is not proven, by reading, to have two others; nodes are asked whether they are there instead
 * of believed to be; and one order is decided and done before the next is looked at. What can still go wrong is that a node dies
 * for real while a fault is on: then chunks may be out of reach until the fault ends, which it does by itself.
 *
 * Everything is recorded with the name of whoever asked, the refusals too, and before it is done.
 */
import type pg from "pg";
import type { Actor } from "../drive/index.ts";
import { recordEvent } from "../events/index.ts";
import { type Clock, SECOND_MS, systemClock } from "../kernel/index.ts";
import { SimulationError } from "./errors.ts";
import { type ActiveFault, faultInWords, isProcessFault, type ProcessFault, type SimulatedFault } from "./fault.ts";
import { chunksSafeToDamage, requireReadableWithout } from "./last-copies.ts";
import { type NodeAccess, type NodeToAsk, faultsOf, probe, type Reach } from "./reach.ts";
import type { ProcessAddress, Supervisor } from "./supervisor.ts";

export interface FaultSimulationOptions {
  pool: pg.Pool;
  /** HOLDFAST_SIMULATE_FAULTS. */
  allowed: boolean;
  /** Absent outside the embedded cluster. */
  supervisor: Supervisor | undefined;
  nodes: NodeAccess;
  clock?: Clock;
}

type Asker = Pick<Actor, "userId">;

export interface SimulationStatus {
  allowed: boolean;
  /** Whether processes can be killed, paused and cloned, and nodes added. */
  embedded: boolean;
  /** As far as the nodes within reach tell. */
  faults: (ActiveFault & { nodeId: number })[];
}

export interface FaultSimulation {
  /**
   * Resolves when the fault is on. Rejects with a `SimulationError`; unless it is `simulation.failed`, nothing was done.
   */
  simulate(actor: Asker, nodeId: number, fault: SimulatedFault): Promise<{ until: Date }>;
  /** Ends whatever is simulated on the node. May be called again. */
  recover(actor: Asker, nodeId: number): Promise<void>;
  /** Starts one more node on this machine, for good. Rejects with `simulation.only_embedded`. */
  addNode(actor: Asker): Promise<{ name: string; port: number }>;
  /** Stops the process of a node that is removed from the cluster, where it is the supervisor's. May be called again. */
  retireNode(nodeId: number): Promise<void>;
  status(): Promise<SimulationStatus>;
}

interface SimulatedNode extends NodeToAsk {
  health: string;
}

export function createFaultSimulation(options: FaultSimulationOptions): FaultSimulation {
  const { pool, allowed, supervisor, nodes: access, clock = systemClock } = options;
  let lastTurn: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = lastTurn.then(work);
    lastTurn = Promise.allSettled([turn]);
    return turn;
  };

  async function simulate(actor: Asker, nodeId: number, fault: SimulatedFault): Promise<{ until: Date }> {
    requireAllowed(allowed);
    const { node, others } = await readCluster(pool, nodeId);
    const asker = await nameOf(pool, actor);
    const words = faultInWords(fault);
    const begin = await prepare(node, others, fault).catch(async (error: Error) => {
      await recordEvent(pool, {
        severity: "warning",
        kind: "fault.refused",
        message: `${asker} asked for ${node.name} to be ${words}. Refused: ${error.message}`,
        nodeId,
        actorId: actor.userId,
        data: { fault },
      });
      throw error;
    });
    await recordEvent(pool, {
      severity: "warning",
      kind: "fault.simulated",
      message: `${asker} simulated: ${node.name} ${words}.`,
      nodeId,
      actorId: actor.userId,
      data: { fault },
    });
    await begin().catch((error: unknown) => reportFailure(node, words, error));
    return { until: new Date(clock.now().getTime() + fault.seconds * SECOND_MS) };
  }

  /** Everything that may refuse. Returns what begins the fault. */
  async function prepare(node: SimulatedNode, others: readonly NodeToAsk[], fault: SimulatedFault): Promise<() => Promise<void>> {
    if (isProcessFault(fault)) {
      const runner = requireSupervisor(supervisor);
      if (fault.kind === "clone") requireUp(node);
      else await requireReadableWithout(pool, node, await probe(others, access));
      return () => runner.simulate(node, processFault(fault));
    }
    const commands = access.commandsFor(node);
    switch (fault.kind) {
      case "partition":
        await requireReadableWithout(pool, node, await probe(others, access));
        return () => commands.simulate(fault);
      case "corrupt": {
        const ids = await safeChunks(node, others, fault.chunks, await probe(others, access));
        return () => commands.simulate({ ...fault, ids });
      }
      case "slow":
      case "disk-full":
        return () => commands.simulate(fault);
    }
  }

  function safeChunks(node: NodeToAsk, others: readonly NodeToAsk[], chunks: number, reach: Reach) {
    const byId = new Map([node, ...others].map((one) => [one.id, one]));
    return chunksSafeToDamage(pool, node, reach, chunks, (holder, id) => access.commandsFor(byId.get(holder)!).verify(id));
  }

  async function reportFailure(node: NodeToAsk, words: string, error: unknown): Promise<never> {
    const failure = failed(node, error);
    const message = `${node.name} was not ${words}: ${failure.message}`;
    await recordEvent(pool, { severity: "warning", kind: "fault.failed", message, nodeId: node.id });
    throw failure;
  }

  async function recover(actor: Asker, nodeId: number): Promise<void> {
    requireAllowed(allowed);
    const { node } = await readCluster(pool, nodeId);
    const processFaults = (await supervisor?.active()) ?? [];
    const hadProcessFault = processFaults.some(({ host, port }) => host === node.host && port === node.port);
    await supervisor?.recover(node);
    await access
      .commandsFor(node)
      .recover()
      .catch((error: unknown) => {
        if (!hadProcessFault) throw failed(node, error); // otherwise it is just coming back, with nothing on
      });
    const message = `${await nameOf(pool, actor)} ended what was simulated on ${node.name}.`;
    await recordEvent(pool, { severity: "info", kind: "fault.recovered", message, nodeId, actorId: actor.userId });
  }

  return {
    simulate: (actor, nodeId, fault) => inTurn(() => simulate(actor, nodeId, fault)),
    recover: (actor, nodeId) => inTurn(() => recover(actor, nodeId)),
    async addNode(actor) {
      const added = await requireSupervisor(supervisor).addNode();
      const message = `${await nameOf(pool, actor)} added ${added.name}.`;
      await recordEvent(pool, { severity: "info", kind: "node.added", message, actorId: actor.userId, data: added });
      return added;
    },
    async retireNode(nodeId) {
      const { rows } = await pool.query<ProcessAddress & { name: string }>(
        "SELECT name, host, port FROM node WHERE id = $1 AND intent = 'removed'",
        [nodeId],
      );
      for (const { name, ...address } of rows) await supervisor?.retireNode(address, name);
    },
    async status() {
      const faults = allowed ? await activeFaults(await readNodes(pool), options) : [];
      return { allowed, embedded: supervisor !== undefined, faults };
    },
  };
}

async function activeFaults(
  nodes: readonly NodeToAsk[],
  { supervisor, nodes: access }: FaultSimulationOptions,
): Promise<SimulationStatus["faults"]> {
  const [ofProcesses, ...ofNodes] = await Promise.all([
    supervisor?.active() ?? [],
    ...nodes.map(async (node) => {
      const faults = await faultsOf(node, access);
      return (faults ?? []).map(({ kind, until }) => ({ kind, until, nodeId: node.id }));
    }),
  ]);
  const idAt = (host: string, port: number): number | undefined => nodes.find((node) => node.host === host && node.port === port)?.id;
  const known = ofProcesses.flatMap(({ kind, until, host, port }) => {
    const nodeId = idAt(host, port);
    return nodeId === undefined ? [] : [{ kind, until, nodeId }];
  });
  return [...known, ...ofNodes.flat()];
}

async function readNodes(pool: pg.Pool): Promise<SimulatedNode[]> {
  const { rows } = await pool.query<SimulatedNode>("SELECT id, name, host, port, health FROM node WHERE intent <> 'removed' ORDER BY id");
  return rows;
}

/** The node, and all others. */
async function readCluster(pool: pg.Pool, nodeId: number): Promise<{ node: SimulatedNode; others: SimulatedNode[] }> {
  const nodes = await readNodes(pool);
  const node = nodes.find(({ id }) => id === nodeId);
  if (node === undefined) throw new SimulationError("simulation.no_such_node", `The cluster has no node with the number ${nodeId}.`);
  return { node, others: nodes.filter(({ id }) => id !== nodeId) };
}

async function nameOf(pool: pg.Pool, { userId }: Asker): Promise<string> {
  const { rows } = await pool.query<{ name: string }>(`SELECT name FROM "user" WHERE id = $1`, [userId]);
  return rows[0]?.name ?? "Somebody";
}

/** Only what the supervisor knows of it. */
function processFault({ kind, seconds }: ProcessFault): ProcessFault {
  return { kind, seconds };
}

function failed({ name }: NodeToAsk, error: unknown): SimulationError {
  if (error instanceof SimulationError) return error;
  return new SimulationError(
    "simulation.failed",
    `${name} did not do what it was asked to: ${(error as Error).message}`,
    {},
    { cause: error },
  );
}

function requireAllowed(allowed: boolean): void {
  if (allowed) return;
  throw new SimulationError(
    "simulation.off",
    "Fault simulation is off. Set HOLDFAST_SIMULATE_FAULTS=1 for the console and its nodes, and never where data matters.",
  );
}

function requireSupervisor(supervisor: Supervisor | undefined): Supervisor {
  if (supervisor !== undefined) return supervisor;
  throw new SimulationError(
    "simulation.only_embedded",
    "Processes can be started, killed, paused and cloned from here only in the embedded cluster. Elsewhere do it on the node's own machine.",
  );
}

/** The cluster takes the clone of a node that is down for the node itself, moved elsewhere. */
function requireUp({ name, health }: SimulatedNode): void {
  if (health === "up" || health === "slow") return;
  throw new SimulationError("simulation.conflict", `${name} is ${health}; its clone could be taken for it. Clone a node that is up.`);
}
