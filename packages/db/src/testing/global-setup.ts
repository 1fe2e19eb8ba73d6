/**
 * One real PostgreSQL for a whole test run. Each test file clones its migrated template (about 60 ms) and drops the clone.
 */
import pg from "pg";
import type { TestProject } from "vitest/node";
import { startTestPostgres } from "./test-postgres.ts";

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestPostgres();
  const admin = new pg.Client({ connectionString: server.url.replace(/holdfast$/, "postgres") });
  await admin.connect();
  await admin.query("ALTER DATABASE holdfast RENAME TO template_holdfast");
  await admin.end();
  project.provide("postgresUrl", server.url.replace(/holdfast$/, "postgres"));
  return () => server.stop();
}
