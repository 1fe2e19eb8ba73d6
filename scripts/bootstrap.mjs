// Takes a fresh clone with nothing but Node and npm to our own runtime: installs the packages when the lockfile is new to
// this checkout, then hands over to `run.ts` under the Node 24 that npm brought. Plain JavaScript, so that an older Node runs it.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const runtime = join(root, "node_modules", "node", "bin", "node");
const stampFile = join(root, "node_modules", ".holdfast-installed");
const script = join(root, "scripts", "run.ts");

installPackages();
if (process.execPath === runtime) await import(script);
else handOver();

function installPackages() {
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const installed = existsSync(stampFile) ? readFileSync(stampFile, "utf8") : "";
  if (installed === wanted) return;
  console.log("Installing packages (only when they change; a minute or two)…");
  // Not `npm ci`: it insists that the lockfile names the binaries of every other platform, and refuses when one is not to be had.
  const { status } = spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (status !== 0) {
    console.error("The packages could not be installed; npm says why above. Check the connection to the npm registry and run this again.");
    process.exit(1);
  }
  writeFileSync(stampFile, wanted);
}

function handOver() {
  const child = spawn(runtime, [script, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
