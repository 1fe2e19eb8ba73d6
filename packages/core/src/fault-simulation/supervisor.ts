/**
 * The embedded cluster's supervisor, as the console sees it: the one who can kill, pause and clone a node's process, start another
 * node, and stop one for good. It is asked over the process channel that every supervised service has.
 */
import type { EventEmitter } from "node:events";
import { SECOND_MS } from "../kernel/index.ts";
import { SimulationError, type SimulationErrorCode } from "./errors.ts";
import type { ActiveFault, ProcessFault } from "./fault.ts";

/** A process is known by where its node listens: names and numbers are the cluster's, not the supervisor's. */
export interface ProcessAddress {
  host: string;
  port: number;
}

export interface Supervisor {
  /** Rejects with `simulation.only_embedded` for a node that is not one of its own, `simulation.conflict` while a fault is on there. */
  simulate(node: ProcessAddress, fault: ProcessFault): Promise<void>;
  /** Ends what is on. Nothing where nothing is, or where the node is not one of its own. */
  recover(node: ProcessAddress): Promise<void>;
  active(): Promise<(ActiveFault & ProcessAddress)[]>;
  /** Starts one more node, which every later start has too. */
  addNode(): Promise<{ name: string; port: number }>;
  /** Stops the process of a node that was removed, and starts it never again. Nothing where the node is not one of its own. */
  retireNode(node: ProcessAddress, name: string): Promise<void>;
}

interface RequestMessage {
  type: "supervisor-request";
  id: number;
  method: keyof Supervisor;
  parameters: unknown[];
}

interface AnswerMessage {
  type: "supervisor-answer";
  id: number;
  result?: unknown;
  failure?: { code: SimulationErrorCode; message: string };
}

/** Copying a node's directory and starting a process take their time; being dead takes for ever. */
const ANSWER_TIMEOUT_MS = 60 * SECOND_MS;

/** Our end of the channel: `process`. */
export interface ProcessChannel extends Pick<EventEmitter, "on"> {
  send?: (message: RequestMessage) => unknown;
}

/** Undefined when this process runs on its own. */
export function connectSupervisor(channel: ProcessChannel): Supervisor | undefined {
  if (channel.send === undefined) return undefined;
  const waiting = new Map<number, (answer: AnswerMessage) => void>();
  let lastId = 0;
  channel.on("message", (message: AnswerMessage) => {
    if (message.type === "supervisor-answer") waiting.get(message.id)?.(message);
  });

  const ask = (method: keyof Supervisor, ...parameters: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      const settle = ({ result, failure }: Omit<AnswerMessage, "type" | "id">): void => {
        clearTimeout(limit);
        waiting.delete(id);
        if (failure === undefined) resolve(result);
        else reject(new SimulationError(failure.code, failure.message));
      };
      const limit = setTimeout(() => settle({ failure: SILENT }), ANSWER_TIMEOUT_MS);
      waiting.set(id, settle);
      channel.send!({ type: "supervisor-request", id, method, parameters });
    });

  return {
    simulate: async (node, fault) => void (await ask("simulate", node, fault)),
    recover: async (node) => void (await ask("recover", node)),
    async active() {
      const faults = (await ask("active")) as (Omit<ActiveFault, "until"> & ProcessAddress & { until: string })[];
      return faults.map((fault) => ({ ...fault, until: new Date(fault.until) }));
    },
    addNode: async () => (await ask("addNode")) as { name: string; port: number },
    retireNode: async (node, name) => void (await ask("retireNode", node, name)),
  };
}

const SILENT = { code: "simulation.failed", message: "The supervisor of this cluster does not answer." } as const;

/** The other end: does what a message asks for and returns the answer to send back, or undefined for what is no request. */
export async function answerSupervisorRequest(supervisor: Supervisor, message: unknown): Promise<AnswerMessage | undefined> {
  const { type, id, method, parameters } = message as RequestMessage;
  if (type !== "supervisor-request") return undefined;
  try {
    const result = await (supervisor[method] as (...given: unknown[]) => Promise<unknown>)(...parameters);
    return { type: "supervisor-answer", id, result };
  } catch (error) {
    const code = error instanceof SimulationError ? error.code : "simulation.failed";
    return { type: "supervisor-answer", id, failure: { code, message: (error as Error).message } };
  }
}
