/**
 * The storage nodes of the embedded cluster: as many as HOLDFAST_NODES says, and those that somebody added since, without those
 * that were removed.
 *
 * Who they are is kept beside them, and written down before a node starts: one that is not started again takes its copies with
 * it. No name is given twice, for the disk of a removed node is still there. Where an added one listens may change: the
 * controller knows it by its disk.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { writeDurably } from "./durable-file.ts";
import { firstFreePort } from "./preflight.ts";
import type { ServiceDefinition, ServiceProcess } from "./service-process.ts";
import type { ClusterSettings } from "./settings.ts";

export interface NodeFleetOptions {
  settings: Pick<ClusterSettings, "dataDirectory" | "bind" | "nodePorts">;
  define(name: string, port: number): ServiceDefinition;
  launch(definition: ServiceDefinition): ServiceProcess;
}

const recordShape = z.object({
  /** How many names were given. */
  count: z.int().min(0),
  /** Those that run no more. */
  retired: z.array(z.string()).default([]),
});

export class NodeFleet {
  /** In order of their names. Changes when a node is added or removed. */
  readonly processes: ServiceProcess[] = [];
  readonly #options: NodeFleetOptions;
  readonly #ports: number[] = [];
  #record: z.output<typeof recordShape>;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(options: NodeFleetOptions) {
    this.#options = options;
    const file = recordFile(options.settings);
    this.#record = recordShape.parse(existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { count: 0 });
  }

  async start(): Promise<void> {
    const { nodePorts } = this.#options.settings;
    this.#record.count = Math.max(this.#record.count, nodePorts.length);
    for (let index = 0; index < this.#record.count; index++) {
      if (!this.#record.retired.includes(nameAt(index))) this.#define(nameAt(index), nodePorts[index] ?? (await this.freePort()));
    }
    await Promise.all(this.processes.map((node) => node.start()));
  }

  /** One at a time. Resolves when the node says it is ready, and every later start will have it. */
  add(): Promise<{ name: string; port: number }> {
    return this.#inTurn(() => this.#addNow());
  }

  /** Stops it for good: no later start will have it. May be called again. */
  retire(node: ServiceProcess): Promise<void> {
    return this.#inTurn(() => this.#retireNow(node));
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((node) => node.stop()));
  }

  find(port: number): ServiceProcess | undefined {
    return this.processes[this.#ports.indexOf(port)];
  }

  portOf(node: ServiceProcess): number {
    return this.#ports[this.processes.indexOf(node)]!;
  }

  /** After those that the fleet has, or had at its start. */
  freePort(): Promise<number> {
    const { nodePorts, bind } = this.#options.settings;
    return firstFreePort(Math.max(...nodePorts, ...this.#ports) + 1, bind);
  }

  async #addNow(): Promise<{ name: string; port: number }> {
    const port = await this.freePort();
    const node = this.#define(nameAt(this.#record.count), port);
    this.#write({ count: this.#record.count + 1 });
    try {
      await node.start();
    } catch (error) {
      this.#forget(node);
      this.#write({ count: this.#record.count - 1 });
      throw error;
    }
    return { name: node.name, port };
  }

  async #retireNow(node: ServiceProcess): Promise<void> {
    if (!this.processes.includes(node)) return;
    this.#write({ retired: [...this.#record.retired, node.name] });
    await node.stop();
    this.#forget(node);
  }

  #define(name: string, port: number): ServiceProcess {
    const node = this.#options.launch(this.#options.define(name, port));
    this.processes.push(node);
    this.#ports.push(port);
    return node;
  }

  #forget(node: ServiceProcess): void {
    const index = this.processes.indexOf(node);
    this.processes.splice(index, 1);
    this.#ports.splice(index, 1);
  }

  #write(changes: Partial<z.output<typeof recordShape>>): void {
    this.#record = { ...this.#record, ...changes };
    writeDurably(recordFile(this.#options.settings), `${JSON.stringify(this.#record)}\n`);
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#changing.then(change);
    this.#changing = Promise.allSettled([turn]);
    return turn;
  }
}

function nameAt(index: number): string {
  return `node-${index + 1}`;
}

function recordFile({ dataDirectory }: Pick<ClusterSettings, "dataDirectory">): string {
  return join(dataDirectory, "nodes.json");
}
