import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EnvironmentError, lockDirectory } from "@holdfast/core/service";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chooseDatabasePort, requireDataDirectory, requireFreePorts, StartRefusal } from "./preflight.ts";
import { loadSecrets } from "./secrets.ts";
import { readSettings } from "./settings.ts";

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), "holdfast-start-"))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function listenAnywhere(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as { port: number }).port };
}

test("a port that another program has is refused before anything starts, and the line names the setting", async () => {
  const { server, port } = await listenAnywhere();
  try {
    const settings = readSettings({
      HOLDFAST_ADMIN_PORT: String(port),
      HOLDFAST_WEB_PORT: "23951",
      HOLDFAST_CONTROLLER_PORT: "23952",
      HOLDFAST_NODE_PORT: "23953",
    });
    await expect(requireFreePorts(settings)).rejects.toThrow(`HOLDFAST_ADMIN_PORT: port ${port} is in use`);
  } finally {
    server.close();
  }
});

test("two settings that claim one port are told apart", async () => {
  const settings = readSettings({ HOLDFAST_WEB_PORT: "23961", HOLDFAST_NODE_PORT: "23960" });
  await expect(requireFreePorts(settings)).rejects.toThrow("HOLDFAST_NODE_PORT: port 23961 is also HOLDFAST_WEB_PORT's");
});

test("an address this machine does not have is blamed on HOLDFAST_BIND", async () => {
  await expect(requireFreePorts(readSettings({ HOLDFAST_BIND: "192.0.2.1" }))).rejects.toThrow("Change HOLDFAST_BIND");
});

test("a data directory that cannot be made is one line that names the setting", () => {
  writeFileSync(join(directory, "file"), "");
  expect(() => requireDataDirectory(join(directory, "file", "below"))).toThrow(/^HOLDFAST_DATA_DIR: .* cannot be written/);
});

test.skipIf(process.getuid?.() === 0)("a read-only data directory is refused", () => {
  mkdirSync(join(directory, "read-only"));
  chmodSync(join(directory, "read-only"), 0o500);
  expect(() => requireDataDirectory(join(directory, "read-only"))).toThrow(StartRefusal);
});

test("settings with mistakes are all reported at once, each by its name", () => {
  expect(() =>
    readSettings({ HOLDFAST_WEB_PORT: "eighty", HOLDFAST_NODES: "0", HOLDFAST_REPLICAS: "10", HOLDFAST_CLUSTER_KEY: "short" }),
  ).toThrow(/HOLDFAST_WEB_PORT: .*\n\s+HOLDFAST_NODES: .*\n\s+HOLDFAST_REPLICAS: .*\n\s+HOLDFAST_CLUSTER_KEY: must have at least 32/);
});

test("a second cluster on the same directory is refused while the first lives, and not after", async () => {
  const release = await lockDirectory(directory);
  await expect(lockDirectory(directory)).rejects.toThrow("Another process works in");
  release();
  (await lockDirectory(directory))();
});

test("a cluster that was killed does not keep the next one out", async () => {
  const program = `import { lockDirectory } from ${JSON.stringify(import.meta.resolve("@holdfast/core/service"))}; await lockDirectory(${JSON.stringify(directory)}); console.log("held"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  await expect(lockDirectory(directory)).rejects.toThrow(EnvironmentError);
  holder.kill("SIGKILL");
  await new Promise((resolve) => holder.once("exit", resolve));
  (await lockDirectory(directory))();
});

test("secrets are made once, and nobody else can read them", () => {
  const first = loadSecrets(directory);
  expect(loadSecrets(directory)).toEqual(first);
  expect(new Set(Object.values(first)).size).toBe(3);
  const { stdout } = spawnSync("stat", ["-c", "%a", join(directory, "secrets.json")], { encoding: "utf8" });
  expect(stdout.trim()).toBe("600");
});

test("one data directory always gets the same database port, unless somebody else has it", async () => {
  const port = await chooseDatabasePort(directory);
  expect(await chooseDatabasePort(directory)).toBe(port);
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(port, "127.0.0.1", resolve));
  try {
    expect(await chooseDatabasePort(directory)).not.toBe(port);
  } finally {
    squatter.close();
  }
});
