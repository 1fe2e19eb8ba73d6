/** Another console with its controller on the same database, as a second machine would run it. */
import { openServiceLog } from "../service-log.ts";
import { ServiceProcess } from "../service-process.ts";
import type { NewTestCluster } from "./test-cluster.ts";

export interface SecondConsole {
  readonly process: ServiceProcess;
  readonly url: string;
  stop(): Promise<void>;
}

/** The nodes still have to be told of it. */
export async function startSecondConsole(
  { console: first, dataDirectory }: Pick<NewTestCluster, "console" | "dataDirectory">,
  { port, controllerPort }: { port: number; controllerPort: number },
): Promise<SecondConsole> {
  const { program, environment } = first.definition;
  const name = "console-2";
  const ports = { HOLDFAST_ADMIN_PORT: String(port), HOLDFAST_CONTROLLER_PORT: String(controllerPort) };
  const log = openServiceLog(dataDirectory, name, () => undefined);
  const process = new ServiceProcess({ name, program, environment: { ...environment, ...ports } }, log, (line) => log.write(line));
  const stop = async (): Promise<void> => {
    await process.stop();
    log.close();
  };
  await process.start();
  return { process, url: `http://127.0.0.1:${port}`, stop };
}
