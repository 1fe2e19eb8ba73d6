import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { type ChunkId, chunkIdOf } from "@holdfast/core/chunking";
import { KiB, limits as systemLimits } from "@holdfast/core/kernel";
import { keepDoing, measure } from "../measure/meter.ts";
import { operationsRow, type Row, throughputRow } from "../report/row.ts";
import type { PureScenario, Settings } from "../scenario.ts";
import { type Carrier, chunkStreams, nodeHttp, undiciPool } from "../transport/carriers.ts";

const PROGRAM = join(import.meta.dirname, "../transport/node-program.ts");
const SECONDS = 2;
const LARGE_AT_ONCE = 8;
const SMALL_AT_ONCE = 64;
const SMALL_BYTES = 4 * KiB;

/** Chunks from one process to a node's doors and back, by each way that was weighed; hashed at both ends, no disk. */
export const transport: PureScenario = {
  number: 14,
  name: "transport",
  title: "one gateway's chunks to a node and back, without a disk",
  kind: "pure",
  async measure(settings) {
    const clusterKey = randomBytes(32).toString("hex");
    const node = fork(PROGRAM, [clusterKey]);
    const [port] = (await once(node, "message")) as [number];
    const rows: Row[] = [];
    try {
      for (const open of [undiciPool, nodeHttp, chunkStreams]) {
        const carrier = open(port, clusterKey);
        rows.push(...(await rowsOf(carrier, node.pid!, settings)));
        await carrier.close();
      }
    } finally {
      node.disconnect();
    }
    return rows;
  },
};

async function rowsOf(carrier: Carrier, pid: number, { rounds, limits }: Settings): Promise<Row[]> {
  const [large, small] = [new Load(systemLimits.chunkBytesMax, LARGE_AT_ONCE), new Load(SMALL_BYTES, SMALL_AT_ONCE)];
  const node = () => [{ role: "node" as const, pid }];
  const limit = limits.loopback();
  const rows: Row[] = [];
  for (const way of ["put", "get"] as const) {
    await large.run(carrier, way, 1);
    const bytes = await measure(node, { rounds, work: async () => (await large.run(carrier, way, SECONDS)) * large.length });
    rows.push(throughputRow(`${way} 4 MiB, ${LARGE_AT_ONCE} at once, ${carrier.name}`, bytes, { limit }));
    await small.run(carrier, way, 1);
    const chunks = await measure(node, { rounds, work: (_, took) => small.run(carrier, way, SECONDS, took) });
    rows.push(operationsRow(`${way} 4 KiB, ${SMALL_AT_ONCE} at once, ${carrier.name}`, chunks));
  }
  return rows;
}

/** The same chunk again and again: its bytes are hashed each time, by whoever sends and whoever receives. */
class Load {
  readonly length: number;
  readonly #chunk: Buffer;
  readonly #id: ChunkId;
  readonly #buffers: Buffer[];
  readonly #atOnce: number;

  constructor(length: number, atOnce: number) {
    this.length = length;
    this.#chunk = randomBytes(length);
    this.#id = chunkIdOf(this.#chunk);
    this.#atOnce = atOnce;
    this.#buffers = Array.from({ length: atOnce }, () => Buffer.allocUnsafeSlow(length));
  }

  run(carrier: Carrier, way: "put" | "get", seconds: number, took: (ms: number) => void = () => undefined): Promise<number> {
    return keepDoing(this.#atOnce, seconds, async () => {
      const start = performance.now();
      if (way === "put") await carrier.put(chunkIdOf(this.#chunk), this.#chunk);
      else await this.#get(carrier);
      took(performance.now() - start);
    });
  }

  async #get(carrier: Carrier): Promise<void> {
    const into = this.#buffers.pop()!;
    await carrier.get(this.#id, into);
    this.#buffers.push(into);
  }
}
