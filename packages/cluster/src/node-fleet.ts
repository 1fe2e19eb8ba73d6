/**
 * The storage nodes of the embedded cluster: as many as HOLDFAST_NODES says, and those that somebody added since.
 *
 * How many there are is kept beside them, because a node that is not started again takes its copies with it. Where an added
 * one listens may change: the controller knows it by its disk.
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

const recordShape = z.object({ count: z.int().min(1) });

export class NodeFleet {
  /** In order of their names. Grows when a node is added. */
  readonly processes: ServiceProcess[] = [];
  readonly #options: NodeFleetOptions;
  readonly #ports: number[] = [];
  #adding: Promise<unknown> = Promise.resolve();

  constructor(options: NodeFleetOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { settings } = this.#options;
    settings.nodePorts.forEach((port) => this.#define(port));
    while (this.processes.length < recordedCount(settings.dataDirectory)) this.#define(await this.freePort());
    await Promise.all(this.processes.map((node) => node.start()));
  }

  /** One at a time. Resolves when the node says it is ready, and every later start will have it. */
  add(): Promise<{ name: string; port: number }> {
    const turn = this.#adding.then(() => this.#addNow());
    this.#adding = Promise.allSettled([turn]);
    return turn;
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

  /** After those that the fleet has. */
  freePort(): Promise<number> {
    return firstFreePort(Math.max(...this.#ports) + 1, this.#options.settings.bind);
  }

  async #addNow(): Promise<{ name: string; port: number }> {
    const port = await this.freePort();
    const node = this.#define(port);
    try {
      await node.start();
    } catch (error) {
      this.processes.pop();
      this.#ports.pop();
      throw error;
    }
    writeDurably(recordFile(this.#options.settings.dataDirectory), `${JSON.stringify({ count: this.processes.length })}\n`);
    return { name: node.name, port };
  }

  #define(port: number): ServiceProcess {
    const node = this.#options.launch(this.#options.define(`node-${this.processes.length + 1}`, port));
    this.processes.push(node);
    this.#ports.push(port);
    return node;
  }
}

function recordFile(dataDirectory: string): string {
  return join(dataDirectory, "nodes.json");
}

/** 0 where nobody has added one. */
function recordedCount(dataDirectory: string): number {
  const file = recordFile(dataDirectory);
  return existsSync(file) ? recordShape.parse(JSON.parse(readFileSync(file, "utf8"))).count : 0;
}
