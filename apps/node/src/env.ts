import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { type ChunkStoreKind, chunkStoreKinds } from "@holdfast/core/chunk-store";
import { parseEnvironment, setting } from "@holdfast/core/service";
import { z } from "zod";

const shape = {
  HOLDFAST_DATA_DIR: z.string().default(".holdfast"),
  HOLDFAST_CLUSTER_KEY: setting.secret,
  HOLDFAST_BIND: z.string().default("127.0.0.1"),
  HOLDFAST_LOG_LEVEL: setting.logLevel,
  HOLDFAST_CONTROLLER_PORT: setting.port(7000),
  HOLDFAST_CONTROLLER_ADDRESS: z
    .string()
    .regex(/^[^\s,]+:[0-9]+(,[^\s,]+:[0-9]+)*$/, "must be host:port, or several of them with commas between")
    .optional(),
  HOLDFAST_NODE_NAME: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "must be 1 to 63 letters, digits, dots, dashes or underscores")
    .default("node-1"),
  HOLDFAST_NODE_PORT: setting.port(7101),
  HOLDFAST_NODE_GRPC_PORT: z.coerce.number("must be a port number, or 0 for any that is free").int().min(0).max(65_535).optional(),
  HOLDFAST_NODE_HOST: z.string().optional(),
  HOLDFAST_NODE_ZONE: z.string().default("default"),
  HOLDFAST_NODE_STORE: z.enum(chunkStoreKinds, "must be file or segment").optional(),
  HOLDFAST_SIMULATE_FAULTS: setting.flag(false),
  HOLDFAST_NODE_SCRUB_BYTES_PER_SECOND: z.coerce.number("must be a whole number of bytes").int().min(1).optional(),
  HOLDFAST_NODE_RESERVE_BYTES: z.coerce.number("must be a whole number of bytes").int().min(0).optional(),
};

export interface NodeSettings {
  name: string;
  /** `<data>/nodes/<name>`. */
  directory: string;
  clusterKey: string;
  bind: string;
  /** Where others reach it. */
  host: string;
  port: number;
  /** Of StorageService. Undefined for the HTTP port and 100, or any other that is free if that is taken. */
  grpcPort: number | undefined;
  zone: string;
  /** Undefined for what the disk has. */
  store: ChunkStoreKind | undefined;
  /** Undefined for the share of the disk that `limits` asks for. */
  reserveBytes: number | undefined;
  /** Undefined for what a pass within the time in `limits` asks for. */
  scrubBytesPerSecond: number | undefined;
  /** `host:port` of each controller. */
  controllerAddresses: readonly string[];
  /** Whether it does what the simulation routes ask. */
  simulateFaults: boolean;
  logLevel: string;
}

/** Throws an `EnvironmentError` that names every setting that cannot be used. */
export function nodeSettings(environment: NodeJS.ProcessEnv): NodeSettings {
  const given = parseEnvironment(shape, environment);
  const name = given.HOLDFAST_NODE_NAME;
  return {
    name,
    directory: join(resolve(given.HOLDFAST_DATA_DIR), "nodes", name),
    clusterKey: given.HOLDFAST_CLUSTER_KEY,
    bind: given.HOLDFAST_BIND,
    host: given.HOLDFAST_NODE_HOST ?? advertisedHost(given.HOLDFAST_BIND),
    port: given.HOLDFAST_NODE_PORT,
    grpcPort: given.HOLDFAST_NODE_GRPC_PORT,
    zone: given.HOLDFAST_NODE_ZONE,
    store: given.HOLDFAST_NODE_STORE,
    reserveBytes: given.HOLDFAST_NODE_RESERVE_BYTES,
    scrubBytesPerSecond: given.HOLDFAST_NODE_SCRUB_BYTES_PER_SECOND,
    controllerAddresses: given.HOLDFAST_CONTROLLER_ADDRESS?.split(",") ?? [`127.0.0.1:${given.HOLDFAST_CONTROLLER_PORT}`],
    simulateFaults: given.HOLDFAST_SIMULATE_FAULTS,
    logLevel: given.HOLDFAST_LOG_LEVEL,
  };
}

/** "All addresses" is none that others could connect to. */
function advertisedHost(bind: string): string {
  return bind === "0.0.0.0" || bind === "::" ? hostname() : bind;
}
