/** A second process on a copy of a node's disk: what happens when somebody copies a disk and starts it elsewhere. */
import { copyFile, link, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ServiceLog } from "./service-log.ts";
import { type ServiceDefinition, ServiceProcess } from "./service-process.ts";

export interface CloneOptions {
  dataDirectory: string;
  port: number;
  log: ServiceLog;
}

/** Left behind by a supervisor that was killed. */
export async function removeClones(dataDirectory: string): Promise<void> {
  await rm(cloneDirectory(dataDirectory), { recursive: true, force: true });
}

/** Returns what stops the clone and removes its copy. */
export async function startClone(original: ServiceDefinition, { dataDirectory, port, log }: CloneOptions): Promise<() => Promise<void>> {
  const copy = join(cloneDirectory(dataDirectory), original.name);
  const definition: ServiceDefinition = {
    ...original,
    name: `${original.name}-clone`,
    environment: {
      ...original.environment,
      HOLDFAST_DATA_DIR: copy,
      HOLDFAST_NODE_PORT: String(port),
      // Should the original die meanwhile, its clone is taken for it; what it then took would be gone with it.
      HOLDFAST_NODE_RESERVE_BYTES: String(Number.MAX_SAFE_INTEGER),
    },
  };
  const process = new ServiceProcess(definition, log, (line) => log.write(line));
  const end = async (): Promise<void> => {
    await process.stop();
    log.close();
    await rm(copy, { recursive: true, force: true });
  };
  try {
    await copyDirectory(join(dataDirectory, "nodes", original.name), join(copy, "nodes", original.name));
    await process.start();
  } catch (error) {
    await end();
    throw error;
  }
  return end;
}

function cloneDirectory(dataDirectory: string): string {
  return join(dataDirectory, "clones");
}

/** Chunk files are never written to again, so a second name is as good as a copy, and costs no space. Segments are. */
async function copyDirectory(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, destination] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyDirectory(source, destination);
    else await unlessGone(entry.name.endsWith(".chunk") ? link(source, destination) : copyFile(source, destination));
  }
}

/** The node goes on working while it is copied. */
async function unlessGone(copying: Promise<void>): Promise<void> {
  await copying.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
