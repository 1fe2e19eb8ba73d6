/**
 * One process at a time works in a directory.
 *
 * The lock is a listening socket without a file, named after the directory (Linux's abstract namespace): the kernel gives
 * it to exactly one process and takes it back the moment that process is gone, so a kill -9 leaves nothing to clean up and
 * there is no stale file whose owner must be guessed.
 */
import { statSync } from "node:fs";
import { createServer } from "node:net";
import { EnvironmentError } from "./environment.ts";

/** Returns the release. Rejects with an `EnvironmentError` while another process holds the directory, under whatever path. */
export async function lockDirectory(directory: string): Promise<() => void> {
  const { dev, ino } = statSync(directory);
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(held(directory, cause)));
    server.listen(`\0holdfast/${dev}/${ino}`, resolve);
  });
  server.unref();
  return () => server.close();
}

function held(directory: string, cause: Error): EnvironmentError {
  return new EnvironmentError(`Another process works in ${directory}. Stop it, or name another directory.`, { cause });
}
