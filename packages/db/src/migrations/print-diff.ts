/**
 * `npm run db:diff > prisma/migrations/<time>_<name>/migration.sql`: what leads from the last commit's schema to the one
 * in the working tree. Needs no server: it starts one for the moment.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "../embedded/index.ts";
import { diffSchemas } from "./diff.ts";

const PORT = 19_999;

const committed = execFileSync("git", ["show", "HEAD:prisma/schema.prisma"], { encoding: "utf8" });
const directory = mkdtempSync(join(tmpdir(), "holdfast-diff-"));
const server = await startPostgres({ directory: join(directory, "postgres"), port: PORT, password: "diff", onLog: () => undefined });
try {
  process.stdout.write(await diffSchemas(server.url, committed));
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
