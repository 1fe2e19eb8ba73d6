/** The Drive's own routes on a real port and a real database, before nodes in memory and without pages. */
import { randomBytes } from "node:crypto";
import { type Accounts, createAccounts } from "@holdfast/core/accounts";
import { createDownloads } from "@holdfast/core/download";
import { createContentFinder } from "@holdfast/core/drive";
import { startHttpServer } from "@holdfast/core/http-edge";
import { createLogger, limits } from "@holdfast/core/kernel";
import { createChunkReplicator } from "@holdfast/core/replication";
import { createTestNodes, type TestNodes } from "@holdfast/core/testing";
import { createUploads } from "@holdfast/core/upload";
import type { Database } from "@holdfast/db";
import { type Preparation, prepare } from "../preparation.ts";
import { createRoutes } from "../routes.ts";

const logger = createLogger("test", "silent");
const secret = randomBytes(32).toString("hex");
export const NOBODY = { email: undefined, password: undefined };

export interface TestDrive {
  url: string;
  port: number;
  accounts: Accounts;
  nodes: TestNodes;
  /** Returns the cookie of a new account. */
  signUp(name: string): Promise<string>;
  stop(): Promise<void>;
}

export interface TestDriveOptions {
  nodeCount?: number;
  preparation?: Preparation;
}

export async function startTestDrive(database: Database, { nodeCount = 3, preparation }: TestDriveOptions = {}): Promise<TestDrive> {
  const nodes = createTestNodes(nodeCount);
  const { membership, clients } = nodes;
  const accounts = createAccounts({ database, secret, logger, signUp: "open" });
  const replicator = createChunkReplicator({ ...nodes, replicas: 3, writeQuorum: 2, logger });
  const uploads = createUploads({ database, replicator, membership, chunkBytes: limits.chunkBytesMax, logger });
  const downloads = createDownloads({ pool: database.pool, membership, clients, logger });
  const ready = preparation ?? (await prepare({ database, accounts, owner: NOBODY, logger }));
  const findContent = createContentFinder(database.pool);
  const core = { database, accounts, membership, findContent, uploads, downloads };
  const services = { ...core, preparation: ready, logger, replicas: 3, trashKeepDays: 30 };
  const server = await startHttpServer({
    port: 0,
    bind: "127.0.0.1",
    portSetting: "HOLDFAST_WEB_PORT",
    handler: createRoutes(services, async (_, res) => void res.end("a page")),
    logger,
  });
  const { port } = server.address;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    accounts,
    nodes,
    async signUp(name) {
      const answer = await fetch(`${url}/api/auth/sign-up/email`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: url },
        body: JSON.stringify({ name, email: `${name}@example.test`, password: "a long enough password" }),
      });
      if (answer.status !== 200) throw new Error(`not signed up: ${answer.status}`);
      return answer.headers.getSetCookie()[0]!.split(";")[0]!;
    },
    async stop() {
      await Promise.all([server.stop(), uploads.stop(), ready.stop()]);
    },
  };
}
