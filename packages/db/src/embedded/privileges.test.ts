import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Command, ownDirectory, unprivileged } from "./privileges.ts";

let closed: string; // a directory that only root may enter, as mktemp makes them
beforeEach(() => (closed = mkdtempSync(join(tmpdir(), "holdfast-closed-"))));
afterEach(() => rmSync(closed, { recursive: true, force: true }));

function run(command: Command): { status: number | null; output: string } {
  const { file, args } = unprivileged(command, join(closed, "data"));
  const { status, stdout } = spawnSync(file, args, { encoding: "utf8" });
  return { status, output: stdout.trim() };
}

describe.runIf(process.getuid?.() === 0)("root starts the database below a directory that only root may enter", () => {
  beforeEach(() => {
    mkdirSync(join(closed, "data"), { mode: 0o700 });
    ownDirectory(join(closed, "data"));
    writeFileSync(join(closed, "program"), "#!/bin/sh\necho it runs", { mode: 0o755 });
  });

  test("the server is not root", () => {
    expect(run({ file: "id", args: ["-u"] }).output).not.toBe("0");
  });

  test("it may execute its programs, and is told so when it asks", () => {
    expect(run({ file: "test", args: ["-x", join(closed, "program")] }).status).toBe(0);
    expect(run({ file: join(closed, "program"), args: [] }).output).toBe("it runs");
  });

  test("it may write its own directory and no other", () => {
    expect(run({ file: "touch", args: [join(closed, "data", "file")] }).status).toBe(0);
    expect(run({ file: "touch", args: [join(closed, "file")] }).status).not.toBe(0);
  });
});
