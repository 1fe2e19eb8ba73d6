/** Faults of processes, on small real processes: what is done to them, that it ends, and that nobody stays stopped for ever. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerSupervisorRequest, connectSupervisor, type ProcessFault, type Supervisor } from "@holdfast/core/fault-simulation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startClone } from "./clone.ts";
import { createControl } from "./control.ts";
import { NodeFleet } from "./node-fleet.ts";
import { ProcessFaults } from "./process-faults.ts";
import { openServiceLog } from "./service-log.ts";
import { type ServiceDefinition, ServiceProcess } from "./service-process.ts";

const HOST = "127.0.0.1";
const FIRST_PORT = 27_000 + Math.floor(Math.random() * 2_000);
const SERVICE = `process.send({ type: "ready" }); process.on("disconnect", () => process.exit(0));`;
const eventually = { timeout: 20_000, interval: 20 };

let directory: string;
let leave: (() => unknown)[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "holdfast-processes-"));
  writeFileSync(join(directory, "service.mjs"), SERVICE);
  leave = [];
});
afterEach(async () => {
  for (const step of leave.toReversed()) await step();
  rmSync(directory, { recursive: true, force: true });
});

function define(name: string, port: number): ServiceDefinition {
  return {
    name,
    program: join(directory, "service.mjs"),
    environment: { PATH: process.env["PATH"]!, HOLDFAST_NODE_NAME: name, HOLDFAST_NODE_PORT: String(port) },
  };
}

const logOf = (name: string) => openServiceLog(directory, name, () => undefined);
const launch = (definition: ServiceDefinition) => new ServiceProcess(definition, logOf(definition.name), () => undefined);

async function startFleet(nodes: number): Promise<NodeFleet> {
  const nodePorts = Array.from({ length: nodes }, (_, index) => FIRST_PORT + index);
  const fleet = new NodeFleet({ settings: { dataDirectory: directory, bind: HOST, nodePorts }, define, launch });
  leave.push(() => fleet.stop());
  await fleet.start();
  return fleet;
}

function faultsOf(fleet: NodeFleet): ProcessFaults {
  const faults = new ProcessFaults({
    clone: async (node) => {
      const options = { dataDirectory: directory, port: await fleet.freePort(), log: logOf("clone") };
      return await startClone(define(node.name, fleet.portOf(node)), options);
    },
    onError: (error) => expect.unreachable(String(error)),
  });
  leave.push(() => faults.endAll());
  return faults;
}

/** R and S run, T is stopped; as the kernel tells it. */
const stateOf = (pid: number): string => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]!;

test("killed: it stays away for its time, then is another process", async () => {
  const fleet = await startFleet(1);
  const [node] = fleet.processes;
  const before = node!.pid;
  await faultsOf(fleet).begin(node!, { kind: "kill", seconds: 1 });
  expect(node!.pid).toBeUndefined();
  await vi.waitFor(() => expect(node!.pid).toBeGreaterThan(0), eventually);
  expect(node!.pid).not.toBe(before);
});

test("paused: the very same process goes on when its time is over, or when somebody ends it", async () => {
  const fleet = await startFleet(1);
  const [node] = fleet.processes;
  const { pid } = node!;
  const faults = faultsOf(fleet);
  await faults.begin(node!, { kind: "pause", seconds: 1 });
  await vi.waitFor(() => expect(stateOf(pid!)).toBe("T"), eventually);
  await vi.waitFor(() => expect(stateOf(pid!)).not.toBe("T"), eventually);

  await faults.begin(node!, { kind: "pause", seconds: 600 });
  await vi.waitFor(() => expect(stateOf(pid!)).toBe("T"), eventually);
  await faults.end(node!);
  await vi.waitFor(() => expect(stateOf(pid!)).not.toBe("T"), eventually);
  expect(node!.pid).toBe(pid);
});

test("the supervisor is killed while a process is paused: it wakes up, finds itself alone and leaves", async () => {
  const modules = ["service-process.ts", "service-log.ts"].map((name) => JSON.stringify(join(import.meta.dirname, name)));
  const program = `
    const { ServiceProcess } = await import(${modules[0]});
    const { openServiceLog } = await import(${modules[1]});
    const log = openServiceLog(${JSON.stringify(directory)}, "lonely", () => undefined);
    const service = new ServiceProcess(${JSON.stringify(define("lonely", 1))}, log, () => undefined);
    await service.start();
    service.pause();
    console.log(service.pid);`;
  const supervisor = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(supervisor.stdout, "data")) as [Buffer];
  const pid = Number(line.toString());
  await vi.waitFor(() => expect(stateOf(pid)).toBe("T"), eventually);
  supervisor.kill("SIGKILL");
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow("ESRCH"), eventually);
});

test("cloned: a second process on a copy of the disk, and nothing of it is left afterwards", async () => {
  const fleet = await startFleet(1);
  const [node] = fleet.processes;
  const chunks = join(directory, "nodes/node-1/chunks/ab");
  mkdirSync(chunks, { recursive: true });
  writeFileSync(join(chunks, "ab.chunk"), "a chunk");
  writeFileSync(join(directory, "nodes/node-1/holdfast-node.json"), "{}");
  const faults = faultsOf(fleet);
  await faults.begin(node!, { kind: "clone", seconds: 600 });
  const copy = join(directory, "clones/node-1/nodes/node-1");
  expect(readFileSync(join(copy, "chunks/ab/ab.chunk"), "utf8")).toBe("a chunk");
  expect(statSync(join(copy, "holdfast-node.json")).ino).not.toBe(statSync(join(directory, "nodes/node-1/holdfast-node.json")).ino);
  await faults.end(node!);
  expect(readdirSync(join(directory, "clones"))).toEqual([]);
  expect(readFileSync(join(chunks, "ab.chunk"), "utf8")).toBe("a chunk");
});

test("one fault at a time: the second is refused and the first goes on", async () => {
  const fleet = await startFleet(1);
  const [node] = fleet.processes;
  const faults = faultsOf(fleet);
  await faults.begin(node!, { kind: "pause", seconds: 600 });
  await expect(faults.begin(node!, { kind: "kill", seconds: 1 })).rejects.toMatchObject({ code: "simulation.conflict" });
  expect(faults.active().map(({ kind }) => kind)).toEqual(["pause"]);
});

test("a node that was added is there at the next start too, under its name", async () => {
  const fleet = await startFleet(2);
  const squatter = createServer().listen(FIRST_PORT + 2, HOST);
  await once(squatter, "listening");
  leave.push(() => squatter.close());
  const added = await Promise.all([fleet.add(), fleet.add()]);
  expect(added).toEqual([
    { name: "node-3", port: FIRST_PORT + 3 },
    { name: "node-4", port: FIRST_PORT + 4 },
  ]);
  await fleet.stop();
  const next = await startFleet(2);
  expect(next.processes.map(({ name }) => name)).toEqual(["node-1", "node-2", "node-3", "node-4"]);
  expect(next.processes.every(({ pid }) => pid !== undefined)).toBe(true);
});

test("a node that cannot start is not added, and the next one gets its name", async () => {
  const fleet = await startFleet(1);
  const works = readFileSync(join(directory, "service.mjs"));
  writeFileSync(join(directory, "service.mjs"), "process.exit(1)");
  await expect(fleet.add()).rejects.toThrow("node-2 could not start");
  writeFileSync(join(directory, "service.mjs"), works);
  expect(await fleet.add()).toEqual({ name: "node-2", port: FIRST_PORT + 1 });
});

test("the supervisor dies while a node is being added: the next start has it", async () => {
  const fleet = await startFleet(1);
  writeFileSync(join(directory, "service.mjs"), `process.on("disconnect", () => process.exit(0)); setInterval(() => 0, 1_000);`);
  const adding = fleet.add().catch(() => undefined); // it never says that it is ready
  await vi.waitFor(() => expect(fleet.processes[1]?.pid).toBeDefined(), eventually);
  writeFileSync(join(directory, "service.mjs"), SERVICE);
  const next = await startFleet(1);
  expect(next.processes.map(({ name }) => name)).toEqual(["node-1", "node-2"]);
  await fleet.stop();
  await adding;
});

/** Both ends of the process channel, without a process between them. */
async function controlOf(nodes: number, simulateFaults = true): Promise<{ supervisor: Supervisor; fleet: NodeFleet }> {
  const fleet = await startFleet(nodes);
  const control = createControl({ host: HOST, fleet, faults: faultsOf(fleet), simulateFaults });
  let receive = (_message: unknown): void => undefined;
  const supervisor = connectSupervisor({
    on: (_event, listener) => (receive = listener) as never,
    send: (message) => void answerSupervisorRequest(control, overTheWire(message)).then((answer) => receive(overTheWire(answer))),
  });
  return { supervisor: supervisor!, fleet };
}

const overTheWire = (message: unknown): unknown => JSON.parse(JSON.stringify(message));
const KILL: ProcessFault = { kind: "kill", seconds: 600 };

test("the console asks over its channel: begins, lists, ends and adds", async () => {
  const { supervisor, fleet } = await controlOf(2);
  await supervisor.simulate({ host: HOST, port: FIRST_PORT + 1 }, KILL);
  expect(await supervisor.active()).toEqual([{ kind: "kill", until: expect.any(Date) as Date, host: HOST, port: FIRST_PORT + 1 }]);
  expect(fleet.processes.map(({ pid }) => pid === undefined)).toEqual([false, true]);
  await expect(supervisor.simulate({ host: HOST, port: FIRST_PORT + 1 }, KILL)).rejects.toMatchObject({ code: "simulation.conflict" });
  await supervisor.recover({ host: HOST, port: FIRST_PORT + 1 });
  expect(await supervisor.active()).toEqual([]);
  expect(await supervisor.addNode()).toEqual({ name: "node-3", port: FIRST_PORT + 2 });
});

test("a removed node is stopped for good: no later start has it, and none that is added gets its name", async () => {
  const { supervisor, fleet } = await controlOf(2);
  await supervisor.simulate({ host: HOST, port: FIRST_PORT + 1 }, { kind: "pause", seconds: 600 });
  const [, removed] = fleet.processes;
  await supervisor.retireNode({ host: HOST, port: FIRST_PORT + 1 }, "node-1"); // an old address of another node
  expect(removed!.pid).toBeDefined();
  for (let time = 0; time < 2; time++) await supervisor.retireNode({ host: HOST, port: FIRST_PORT + 1 }, "node-2");
  expect([removed!.pid, await supervisor.active()]).toEqual([undefined, []]);
  expect(await supervisor.addNode()).toMatchObject({ name: "node-3" });
  await fleet.stop();
  expect((await startFleet(2)).processes.map(({ name }) => name)).toEqual(["node-1", "node-3"]);
});

test.each([
  ["another machine's", "192.0.2.7", FIRST_PORT],
  ["nobody's", HOST, 1],
])("a node that is %s process is none of the supervisor's", async (_whose, host, port) => {
  const { supervisor } = await controlOf(1);
  await expect(supervisor.simulate({ host, port }, KILL)).rejects.toMatchObject({
    code: "simulation.only_embedded",
    message: expect.stringContaining("only in the embedded cluster") as string,
  });
  await supervisor.recover({ host, port });
});

test("switched off: the supervisor refuses whatever the console thinks", async () => {
  const { supervisor, fleet } = await controlOf(1, false);
  await expect(supervisor.simulate({ host: HOST, port: FIRST_PORT }, KILL)).rejects.toMatchObject({ code: "simulation.off" });
  expect(fleet.processes[0]!.pid).toBeDefined();
});

test("a process that nobody supervises has no supervisor to ask", () => {
  expect(connectSupervisor({ on: () => expect.unreachable() })).toBeUndefined();
});
