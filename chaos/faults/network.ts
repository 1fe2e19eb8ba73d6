/**
 * Partitions, in a network of our own: the whole run lives in its own network namespace, where routing rules can cut a
 * port off in one direction, for connections that are open, too.
 */
import { spawnSync } from "node:child_process";

/** Lower than the rule of the local table, which had to make room below it. */
const CUT_PRIORITY = "50";
const LOCAL_PRIORITY = "100";

/** `to`: nothing reaches the port. `from`: nothing that it answers arrives. */
export type Direction = "to" | "from";

/** Once, inside a namespace of our own. Throws when the kernel or the rights do not allow it. */
export function preparePrivateNetwork(): void {
  ip("link", "set", "lo", "up");
  ip("rule", "add", "pref", LOCAL_PRIORITY, "lookup", "local");
  ip("rule", "del", "pref", "0");
}

/** The answer mends it. */
export function cutPort(port: number, direction: Direction): () => void {
  // A new connection learns at once that there is no way, as from a router; an answer that goes nowhere is waited for.
  const match = direction === "to" ? ["dport", String(port), "unreachable"] : ["sport", String(port), "blackhole"];
  const rule = ["pref", CUT_PRIORITY, "ipproto", "tcp", ...match];
  ip("rule", "add", ...rule);
  return () => ip("rule", "del", ...rule);
}

function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync("ip", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${args.join(" ")} failed: ${error?.message ?? stderr}`);
}
