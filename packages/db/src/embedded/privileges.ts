/**
 * PostgreSQL refuses to run as root, and it is right. When we are root, it runs as an unprivileged user instead.
 *
 * That user must still reach its binaries and data, which may lie below a directory only root may enter (`/root`, or one made
 * by `mktemp -d`). Opening those directories to everyone would be rude; so the process keeps exactly one capability, the
 * one to read and search past permissions, and nothing else of root's.
 */
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, readFileSync, statSync } from "node:fs";

export interface Command {
  file: string;
  args: string[];
}

interface Account {
  uid: number;
  gid: number;
}

/** Makes `directory` usable by the user that {@link unprivileged} will run as. Call it before each start. */
export function ownDirectory(directory: string): void {
  if (!isRoot()) return;
  const { uid, gid } = accountFor(directory);
  chownSync(directory, uid, gid);
}

/**
 * The same command, run as the owner of `directory` when we are root, and told to stop when we die: a supervisor that is
 * killed must not leave a database behind that nobody watches. Unchanged where there is no `setpriv`.
 */
export function unprivileged(command: Command, directory: string): Command {
  if (!hasSetpriv()) return command;
  const identity = isRoot() ? identityArguments(directory) : [];
  return { file: "setpriv", args: [...identity, "--pdeathsig=INT", "--", command.file, ...command.args] };
}

function identityArguments(directory: string): string[] {
  const { uid, gid } = accountFor(directory);
  return [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", ...searchCapability()];
}

let setprivWorks: boolean | undefined;

function hasSetpriv(): boolean {
  return (setprivWorks ??= spawnSync("setpriv", ["--pdeathsig=INT", "true"]).status === 0);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whoever owns the data already, so that an upgrade of the machine does not strand it; else `postgres`, else `nobody`. */
function accountFor(directory: string): Account {
  if (existsSync(directory)) {
    const owner = statSync(directory);
    if (owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  }
  const account = lookUpAccount("postgres") ?? lookUpAccount("nobody");
  if (account === undefined) {
    throw new Error("PostgreSQL cannot run as root, and this machine has neither a 'postgres' nor a 'nobody' user to run it as");
  }
  return account;
}

function lookUpAccount(name: string): Account | undefined {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  if (line === undefined) return undefined;
  const [, , uid, gid] = line.split(":");
  return { uid: Number(uid), gid: Number(gid) };
}

let capabilityArguments: string[] | undefined;

/**
 * A container may have been denied either capability, so we ask which one can be kept. Without the secure bit the kernel
 * would ignore it when a program asks whether it may execute a file, as PostgreSQL's do.
 */
function searchCapability(): string[] {
  capabilityArguments ??=
    ["dac_read_search", "dac_override"]
      .map((name) => [`--inh-caps=+${name}`, `--ambient-caps=+${name}`, "--securebits=+no_setuid_fixup"])
      .find((args) => spawnSync("setpriv", [...args, "true"]).status === 0) ?? [];
  return capabilityArguments;
}
