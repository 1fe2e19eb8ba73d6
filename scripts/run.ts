/** What each `npm` command does, once the packages are there. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { gatewayFlags, runtimeFlags } from "../packages/cluster/src/runtime-flags.ts";
import { prepare, root } from "./prepare.ts";

const [command = "start", ...rest] = process.argv.slice(2);

switch (command) {
  case "start":
    await prepare(["client", "web", "admin"]);
    process.exitCode = await run("packages/cluster/src/main.ts");
    break;
  case "dev":
    await prepare(["client"]);
    process.exitCode = await run("packages/cluster/src/main.ts", { environment: { HOLDFAST_DEV: "1" } });
    break;
  case "node":
    process.exitCode = await run("apps/node/src/main.ts");
    break;
  case "web":
    await prepare(["client", "web"]);
    process.exitCode = await run("apps/web/server.ts", { flags: gatewayFlags });
    break;
  case "admin":
    await prepare(["client", "admin"]);
    process.exitCode = await run("apps/admin/server.ts");
    break;
  case "bench":
    await prepare(["client", "web", "admin"]);
    process.exitCode = await run("bench/main.ts");
    break;
  case "chaos":
    await prepare(["client", "web", "admin"]);
    process.exitCode = await run("chaos/main.ts");
    break;
  case "fsck":
    await prepare(["client"]);
    process.exitCode = await run("packages/cluster/src/fsck.ts");
    break;
  case "test":
    await prepare(["client", "web", "admin"]);
    process.exitCode = await run("scripts/test.ts");
    break;
  default:
    console.error(`There is no command "${command}". Known: start, dev, test, bench, fsck, chaos, node, web, admin.`);
    process.exitCode = 1;
}

interface RunOptions {
  flags?: readonly string[];
  environment?: Record<string, string>;
}

/** Runs one of our programs in the foreground; signals go to it, its exit code comes back. */
function run(program: string, { flags = runtimeFlags, environment = {} }: RunOptions = {}): Promise<number> {
  const child = spawn(process.execPath, [...flags, join(root, program), ...rest], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...environment },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal!])));
}
