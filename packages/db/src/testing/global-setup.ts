/**
 * One real PostgreSQL for a whole test run. Each test file clones its migrated template (about 60 ms) and drops the clone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { startPostgres } from "../embedded/index.ts";
import { applyMigrations } from "../migrations/apply.ts";

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-test-"));
  const lines: string[] = [];
  const server = await startPostgres({
    directory: join(directory, "postgres"),
    port: await freePort(),
    password: "test",
    onLog: (line) => lines.push(line),
  });
  await applyMigrations(server.url);
  const admin = new pg.Client({ connectionString: server.url.replace(/holdfast$/, "postgres") });
  await admin.connect();
  await admin.query("ALTER DATABASE holdfast RENAME TO template_holdfast");
  await admin.end();
  project.provide("postgresUrl", server.url.replace(/holdfast$/, "postgres"));
  return async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
