import { readdirSync, readFileSync } from "node:fs";

/** The process and the children it has now; PostgreSQL has one for each connection. */
export function familyOf(pid: number): number[] {
  const others = readdirSync("/proc")
    .map(Number)
    .filter((entry) => entry > 0);
  return [pid, ...others.filter((other) => parentOf(other) === pid)];
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // ended while we looked
  }
}
