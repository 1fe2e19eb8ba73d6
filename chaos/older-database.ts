/**
 * `npm run chaos -- older-database`: the database is set back to an earlier state, and its later one is found again after all.
 *
 * What was acknowledged before the earlier state was saved must be there in both. What came later is gone by the act of
 * setting it back, and is counted apart; but nothing may be deleted on the word of a database that is younger than what the
 * nodes hold. So every copy stays where it is, and with the later database everything is there again.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { randomFile, startTestCluster, type TestCluster } from "@holdfast/cluster/testing";
import type { ChunkStoreKind } from "@holdfast/core/chunk-store";
import { KiB, limits, MiB, SECOND_MS } from "@holdfast/core/kernel";
import { createNodeClients, type NodeClients } from "@holdfast/core/node-client";
import { type Database, openDatabase } from "@holdfast/db";
import { patiently } from "./faults/patience.ts";
import { createRandom } from "./random.ts";
import { settle } from "./settle.ts";
import { checkCopies, listCopies } from "./invariants/copies.ts";
import { outOf, row } from "./wording.ts";

const FILES = 20;
/** As the leader does every few minutes, so that nodes can tell how old the database is. */
const ADVANCE = "UPDATE lease SET epoch = epoch + 1000 RETURNING epoch";
/** Enough for a wrong decision to be taken, and carried out: an inventory, and each step's grace. */
const TEMPTATION_MS = 30 * SECOND_MS;
const PATIENCE_MS = 60 * SECOND_MS;

export interface OlderDatabaseOptions {
  seed: string;
  store: ChunkStoreKind;
  directory: string;
  say: (line: string) => void;
}

interface StoredFile {
  name: string;
  entryId: string;
  sha256: string;
}

/** Returns what was broken, one line each. */
export async function runOlderDatabase({ seed, store, directory, say }: OlderDatabaseOptions): Promise<string[]> {
  const scratch = mkdtempSync(join(directory, "holdfast-older-"));
  await using stack = new AsyncDisposableStack();
  const cluster = await startTestCluster({
    directory: scratch,
    environment: {
      HOLDFAST_NODE_STORE: store,
      HOLDFAST_HEARTBEAT_MS: "300",
      HOLDFAST_DOWN_AFTER_MS: "2500",
      HOLDFAST_CHUNK_BYTES: String(256 * KiB),
      HOLDFAST_GC_GRACE_MS: String(SECOND_MS),
    },
  });
  stack.defer(() => cluster.remove());
  const database = openDatabase(cluster.databaseUrl, { onError: () => undefined });
  stack.defer(() => database.close());
  const clients = createNodeClients({ clusterKey: cluster.clusterKey });
  stack.defer(() => clients.close());
  return await new OlderDatabase({ cluster, database, clients, scratch, say }, seed).play();
}

interface Parts {
  cluster: TestCluster;
  database: Database;
  clients: NodeClients;
  scratch: string;
  say: (line: string) => void;
}

class OlderDatabase {
  readonly #parts: Parts;
  readonly #seed: string;
  readonly #violations: string[] = [];

  constructor(parts: Parts, seed: string) {
    this.#parts = parts;
    this.#seed = seed;
  }

  async play(): Promise<string[]> {
    const { database, clients, say } = this.#parts;
    const early = await this.#upload("early");
    await this.#untilWhole();
    await this.#swapDatabase({ keepAs: "earlier", copy: true });
    const late = await this.#upload("late");
    await this.#advance();
    await this.#untilWhole();
    const held = await listCopies(database, clients);

    await this.#swapDatabase({ keepAs: "later", put: "earlier" });
    say("the database was set back to an earlier state");
    await delay(TEMPTATION_MS);
    await this.#requireBrake();
    const stillHeld = new Set(await listCopies(database, clients));
    const deleted = held.filter((copy) => !stillHeld.has(copy));
    if (deleted.length > 0)
      this.#violate(`${deleted.length} copies were given up on the word of an older database: ${deleted.slice(0, 3).join(", ")}`);
    const lost = await this.#unreadable(early);
    const gone = await this.#unreadable(late);

    await this.#swapDatabase({ keepAs: "earlier", put: "later" });
    say("the later database is back");
    await this.#untilWhole();
    const lostForever = await this.#unreadable([...early, ...late]);
    say(row("copies given up by the nodes", outOf(deleted.length, held.length)));
    say(row("files lost of before", outOf(lost, early.length)));
    say(row("files of after, gone meanwhile", `${gone} of ${late.length}, as setting it back must`));
    say(row("files lost with the later one", outOf(lostForever, early.length + late.length)));
    if (lost + lostForever > 0) this.#violate("acknowledged files are lost");
    return this.#violations;
  }

  #violate(line: string): void {
    this.#violations.push(line);
    this.#parts.say(`VIOLATION ${line}`);
  }

  async #upload(when: string): Promise<StoredFile[]> {
    const random = createRandom(`${this.#seed}/${when}`);
    const files: StoredFile[] = [];
    for (let number = 1; number <= FILES; number += 1) {
      const name = `${when} ${number}.bin`;
      const file = randomFile(`${this.#seed}/${name}`, random.integer(1, random.pick([64 * KiB, MiB, 4 * MiB])));
      files.push({ name, entryId: await this.#parts.cluster.owner.upload({ filename: name }, file), sha256: file.sha256() });
    }
    return files;
  }

  async #unreadable(files: readonly StoredFile[]): Promise<number> {
    let count = 0;
    for (const { entryId, sha256 } of files) {
      const answer = await this.#parts.cluster.owner.downloadHash(entryId).catch((error: unknown) => String(error));
      if (answer === sha256) continue;
      count += 1;
      if (/^[0-9a-f]{64}$/.test(answer)) this.#violate(`wrong bytes were served of ${entryId}`);
    }
    return count;
  }

  async #untilWhole(): Promise<void> {
    const { cluster, database, clients, say } = this.#parts;
    const look = () => checkCopies(database, clients, limits.replicas);
    const { violations } = await settle(cluster, { look, limitMs: PATIENCE_MS, say });
    violations.forEach((line) => this.#violate(line));
  }

  /** Until the nodes remember it. */
  async #advance(): Promise<void> {
    const { cluster, database } = this.#parts;
    const { rows } = await database.pool.query<{ epoch: number }>(ADVANCE);
    const epochOf = (node: string): number => {
      const file = join(cluster.dataDirectory, "nodes", node, "holdfast-epoch.json");
      return (JSON.parse(readFileSync(file, "utf8")) as { epoch: number }).epoch;
    };
    const isHeard = await patiently(async () => cluster.nodes.every(({ name }) => epochOf(name) >= rows[0]!.epoch), PATIENCE_MS);
    if (!isHeard) this.#violate("the nodes did not hear how far the database has come");
  }

  async #requireBrake(): Promise<void> {
    const { rows } = await this.#parts.database.pool.query<{ why: string }>("SELECT why FROM garbage_run WHERE cause = 'older-database'");
    if (rows[0] === undefined) this.#violate("nobody was told that the database is older than what the nodes hold");
    else this.#parts.say(`an operator reads: ${rows[0].why}`);
  }

  /** Keeps the present one under another name, and goes on with it or with one that was kept. */
  async #swapDatabase({ keepAs, put, copy = false }: { keepAs: string; put?: string; copy?: boolean }): Promise<void> {
    const { cluster, scratch } = this.#parts;
    const present = join(cluster.dataDirectory, "postgres");
    await cluster.postgres!.stop();
    if (copy) copyWhole(present, join(scratch, keepAs));
    else renameSync(present, join(scratch, keepAs));
    if (put !== undefined) renameSync(join(scratch, put), present);
    await cluster.postgres!.start();
  }
}

/** With its owner, who is not us. */
function copyWhole(from: string, to: string): void {
  const { status, stderr } = spawnSync("cp", ["--archive", from, to], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}
