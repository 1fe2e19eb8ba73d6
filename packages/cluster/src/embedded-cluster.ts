/**
 * A whole cluster on one machine: PostgreSQL, the console with its controller, the storage nodes and the Drive, each a
 * process of its own under one supervisor. `npm start`, the tests, the benchmarks and the demonstrations all run this one.
 *
 * Starting is all or nothing: what cannot work is refused before anything runs, and a part that fails takes the rest down
 * with it. Stopping goes from the users' side inwards, so that nothing is cut off that still has work to finish.
 */
import type { Serializable } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { answerSupervisorRequest } from "@holdfast/core/fault-simulation";
import { lockDirectory } from "@holdfast/core/service";
import { removeClones, startClone } from "./clone.ts";
import { createControl } from "./control.ts";
import { NodeFleet } from "./node-fleet.ts";
import { PostgresProcess } from "./postgres-process.ts";
import { ProcessFaults } from "./process-faults.ts";
import { chooseDatabasePort, requireDataDirectory, requireFreePorts } from "./preflight.ts";
import { loadSecrets, type Secrets } from "./secrets.ts";
import { openServiceLog, type ServiceLog } from "./service-log.ts";
import { gatewayFlags } from "./runtime-flags.ts";
import { type ServiceDefinition, ServiceProcess } from "./service-process.ts";
import type { ClusterSettings } from "./settings.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export interface EmbeddedCluster {
  readonly databaseUrl: string;
  readonly clusterKey: string;
  readonly driveUrl: string;
  readonly consoleUrl: string;
  /** Absent when DATABASE_URL names a server. */
  readonly postgres: PostgresProcess | undefined;
  readonly console: ServiceProcess;
  readonly drive: ServiceProcess;
  /** Grows when a node is added. */
  readonly nodes: readonly ServiceProcess[];
  /** May be called twice. */
  stop(): Promise<void>;
}

/** `show` receives the lines a person should see. */
export async function startCluster(settings: ClusterSettings, show: (line: string) => void): Promise<EmbeddedCluster> {
  requireDataDirectory(settings.dataDirectory);
  const undo = new AsyncDisposableStack();
  undo.defer(await lockDirectory(settings.dataDirectory));
  try {
    await requireFreePorts(settings);
    return { ...(await startParts(settings, show, undo)), stop: () => undo.disposeAsync() };
  } catch (error) {
    await undo.disposeAsync();
    throw error;
  }
}

async function startParts(
  settings: ClusterSettings,
  show: (line: string) => void,
  undo: AsyncDisposableStack,
): Promise<Omit<EmbeddedCluster, "stop">> {
  const secrets = loadSecrets(settings.dataDirectory);
  const openLog = (name: string, isImportant?: (text: string) => boolean): ServiceLog => {
    const log = openServiceLog(settings.dataDirectory, name, show, isImportant);
    undo.defer(() => log.close());
    return log;
  };
  const onCrash = (line: string): void => show(`${line}; starting it again`);

  const postgres = await startDatabase(settings, secrets, openLog, onCrash, undo);
  const databaseUrl = settings.databaseUrl ?? postgres!.url;

  const services = defineServices(settings, secrets, databaseUrl);
  const launch = (definition: ServiceDefinition, answer?: (message: unknown) => Promise<Serializable | undefined>): ServiceProcess =>
    new ServiceProcess(definition, openLog(definition.name, isNotNextsProgress), onCrash, answer);

  const fleet = new NodeFleet({ settings, define: services.node, launch });
  const faults = processFaults(settings, services, fleet, show);
  const host = reachableHost(settings.bind);
  const control = createControl({ host, fleet, faults, simulateFaults: settings.simulateFaults });
  const consoleService = launch(services.console, (message) => answerSupervisorRequest(control, message));
  const drive = launch(services.drive);
  await removeClones(settings.dataDirectory);
  undo.defer(() => consoleService.stop());
  undo.defer(() => fleet.stop());
  undo.defer(() => faults.endAll());
  undo.defer(() => drive.stop());
  await consoleService.start(); // it migrates the database, and the nodes register with its controller
  await Promise.all([fleet.start(), drive.start()]);

  return {
    databaseUrl,
    clusterKey: services.clusterKey,
    driveUrl: `http://${host}:${settings.webPort}`,
    consoleUrl: `http://${host}:${settings.adminPort}`,
    postgres: postgres?.process,
    console: consoleService,
    drive,
    nodes: fleet.processes,
  };
}

function processFaults(
  { dataDirectory }: ClusterSettings,
  services: Services,
  fleet: NodeFleet,
  show: (line: string) => void,
): ProcessFaults {
  return new ProcessFaults({
    async clone(node) {
      const log = openServiceLog(dataDirectory, `${node.name}-clone`, show);
      return await startClone(services.node(node.name, fleet.portOf(node)), { dataDirectory, port: await fleet.freePort(), log });
    },
    onError: (error) => show(`A simulated fault did not end as it should: ${String(error)}`),
  });
}

async function startDatabase(
  settings: ClusterSettings,
  secrets: Secrets,
  openLog: (name: string, isImportant?: (text: string) => boolean) => ServiceLog,
  onCrash: (line: string) => void,
  undo: AsyncDisposableStack,
): Promise<{ url: string; process: PostgresProcess } | undefined> {
  if (settings.databaseUrl !== undefined) return undefined;
  const { dataDirectory } = settings;
  const port = await chooseDatabasePort(dataDirectory);
  const log = openLog("postgres", (text) => /\b(FATAL|PANIC):/.test(text) && !text.includes("is starting up"));
  const process = new PostgresProcess({ dataDirectory, port, password: secrets.databasePassword }, log, onCrash);
  undo.defer(() => process.stop());
  return { url: await process.start(), process };
}

interface Services {
  clusterKey: string;
  console: ServiceDefinition;
  node: (name: string, port: number) => ServiceDefinition;
  drive: ServiceDefinition;
}

function defineServices(settings: ClusterSettings, secrets: Secrets, databaseUrl: string): Services {
  const clusterKey = settings.clusterKey ?? secrets.clusterKey;
  const common = {
    ...settings.inherited,
    NODE_ENV: settings.dev ? "development" : "production",
    NEXT_TELEMETRY_DISABLED: "1",
    NODE_COMPILE_CACHE: join(settings.dataDirectory, "compile-cache"), // less memory, quicker starts; ours alone, unlike /tmp
    HOLDFAST_DATA_DIR: settings.dataDirectory,
    HOLDFAST_CLUSTER_KEY: clusterKey,
    HOLDFAST_BIND: settings.bind,
    HOLDFAST_SIMULATE_FAULTS: settings.simulateFaults ? "1" : "0",
  };
  const withDatabase = { ...common, DATABASE_URL: databaseUrl, HOLDFAST_AUTH_SECRET: settings.authSecret ?? secrets.authSecret };
  return {
    clusterKey,
    console: {
      name: "console",
      program: join(ROOT, "apps/admin/server.ts"),
      environment: { HOLDFAST_REPAIR_AFTER_MS: "0", ...withDatabase }, // its nodes are restarted at once, or gone on purpose
    },
    drive: { name: "drive", program: join(ROOT, "apps/web/server.ts"), flags: gatewayFlags, environment: withDatabase },
    node: (name, port) => ({
      name,
      program: join(ROOT, "apps/node/src/main.ts"),
      environment: {
        ...common,
        HOLDFAST_NODE_NAME: name,
        HOLDFAST_NODE_PORT: String(port),
        HOLDFAST_NODE_GRPC_PORT: "0", // any: a cluster beside this one shares none of the ports that it was given
        HOLDFAST_NODE_HOST: reachableHost(settings.bind),
        HOLDFAST_CONTROLLER_ADDRESS: `${reachableHost(settings.bind)}:${settings.controllerPort}`,
      },
    }),
  };
}

/** Next reports each step of its start with a tick. */
function isNotNextsProgress(text: string): boolean {
  return !text.startsWith("✓");
}

/** An address that means "all of them" is not one to connect to. */
function reachableHost(bind: string): string {
  return bind === "0.0.0.0" || bind === "::" ? "127.0.0.1" : bind;
}
