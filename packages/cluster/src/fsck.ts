/**
 * `npm run fsck`: does what the database says agree with itself and with the nodes? Reads only; with `--repair` it has the
 * controller compare the nodes concerned now.
 *
 * The cluster is the one of DATABASE_URL and HOLDFAST_CLUSTER_KEY, or else the embedded one of HOLDFAST_DATA_DIR, which must
 * be running. Ends with 0 when all is well, 1 when something is not, 2 when not everything could be looked at.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { askForInventory, checkConsistency, type Consistency, describeConsistency, exitCodeOf } from "@holdfast/core/fsck";
import { createNodeClients } from "@holdfast/core/node-client";
import { type Database, openDatabase } from "@holdfast/db";
import { embeddedDatabaseUrl } from "@holdfast/db/embedded";
import { readSecrets } from "./secrets.ts";
import { readSettings } from "./settings.ts";

const COULD_NOT_CHECK = 2;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`Nothing could be checked: ${(error as Error).message}`);
  process.exitCode = COULD_NOT_CHECK;
}

async function main(options: readonly string[]): Promise<number> {
  const unknown = options.find((option) => option !== "--repair");
  if (unknown !== undefined) throw new Error(`there is no option ${unknown}. Known: --repair.`);
  const { databaseUrl, clusterKey } = findCluster();
  const database = openDatabase(databaseUrl, { connectionsMax: 2, onError: () => undefined });
  const clients = createNodeClients({ clusterKey });
  try {
    const consistency = await checkConsistency({ pool: database.pool, clients });
    for (const line of describeConsistency(consistency)) console.log(line);
    if (options.includes("--repair")) console.log(await repair(database, consistency));
    return exitCodeOf(consistency);
  } finally {
    await clients.close();
    await database.close();
  }
}

async function repair({ pool }: Database, consistency: Consistency): Promise<string> {
  const names = await askForInventory(pool, consistency);
  return names.length === 0
    ? "There is nothing that comparing nodes could put right."
    : `The controller compares ${names.join(", ")} with the database now and puts right what it finds. Look again in a moment.`;
}

function findCluster(): { databaseUrl: string; clusterKey: string } {
  const { dataDirectory, databaseUrl, clusterKey } = readSettings(process.env);
  if (databaseUrl !== undefined && clusterKey !== undefined) return { databaseUrl, clusterKey };
  const secrets = readSecrets(dataDirectory);
  if (secrets === undefined)
    throw new Error(`there is no cluster in ${dataDirectory}. Set HOLDFAST_DATA_DIR, or DATABASE_URL and HOLDFAST_CLUSTER_KEY.`);
  return {
    databaseUrl: databaseUrl ?? embeddedUrl(dataDirectory, secrets.databasePassword),
    clusterKey: clusterKey ?? secrets.clusterKey,
  };
}

/** PostgreSQL itself says on which port it listens. */
function embeddedUrl(dataDirectory: string, password: string): string {
  const file = join(dataDirectory, "postgres", "postmaster.pid");
  if (!existsSync(file)) throw new Error(`the cluster in ${dataDirectory} does not run. Start it, then look again.`);
  const port = Number(readFileSync(file, "utf8").split("\n")[3]);
  return embeddedDatabaseUrl({ port, password });
}
