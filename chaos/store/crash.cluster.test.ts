/**
 * A store whose process dies, or whose disk fails, in the middle of what it does: whatever it had acknowledged is there, and it
 * goes on. `chaos/store/crash.ts` does this at every system call; here it is a few of each script.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Sweep, sweep } from "./crash-sweep.ts";

const hasTracer = spawnSync("strace", ["--version"]).status === 0;

let ground: string;
beforeEach(() => void (ground = mkdtempSync(join(tmpdir(), "holdfast-crash-"))));
afterEach(() => rmSync(ground, { recursive: true }));

test.skipIf(!hasTracer).each<Omit<Sweep, "ground" | "cutsAtOnce">>([
  { kind: "file", script: "append", fault: "KILL", every: 30 },
  { kind: "segment", script: "append", fault: "KILL", every: 8 },
  { kind: "segment", script: "append", fault: "EIO", every: 16 },
  { kind: "segment", script: "append", fault: "ENOSPC", every: 30 },
  { kind: "segment", script: "recycle", fault: "KILL", every: 16 },
  { kind: "segment", script: "compaction", fault: "KILL", every: 16 },
  { kind: "segment", script: "reopen", fault: "KILL", every: 16 },
])("a $kind store struck by $fault in the middle of $script keeps what it acknowledged", async (terms) => {
  const { struck, acknowledged, violations } = await sweep({ ...terms, ground, cutsAtOnce: false });
  expect(violations).toEqual([]);
  expect(struck).toBeGreaterThan(0);
  expect(acknowledged).toBeGreaterThan(0);
});
