/** `npm start` and `npm run dev`: the embedded cluster in the foreground, until Ctrl-C or SIGTERM. */
import { type EmbeddedCluster, startCluster } from "./embedded-cluster.ts";
import { readSettings } from "./settings.ts";

const show = (line: string): void => console.log(line);

let stopping = false;
const starting = start();
starting.catch((error: unknown) => {
  console.error(process.env.HOLDFAST_LOG_LEVEL === "debug" ? error : (error as Error).message); // one line; the stack on request
  process.exit(1);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop());

async function start(): Promise<EmbeddedCluster> {
  const settings = readSettings(process.env);
  show(settings.dev ? "Starting Holdfast (development)…" : "Starting Holdfast…");
  const cluster = await startCluster(settings, show);
  if (!stopping) show(welcome(cluster, settings.dataDirectory));
  return cluster;
}

/** A start that is still under way is let finish, then undone. */
async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  show("Stopping…");
  await (await starting).stop();
  process.exit(0);
}

function welcome({ driveUrl, consoleUrl, nodes }: EmbeddedCluster, dataDirectory: string): string {
  return [
    "",
    `  Drive     ${driveUrl}`,
    `  Console   ${consoleUrl}`,
    `  Files     ${dataDirectory}, on ${nodes.length} storage ${nodes.length === 1 ? "node" : "nodes"}`,
    "",
    "  Ctrl-C stops everything.",
    "",
  ].join("\n");
}
