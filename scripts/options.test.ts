import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

function call(program: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "..", program), ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

test.each(["bench/main.ts", "chaos/main.ts", "chaos/store/model.ts", "chaos/store/crash.ts"])(
  "%s, called with an option that there is not: how it is called, and nothing begins",
  (program) => {
    const { status, stdout, stderr } = call(program, "--fast");
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^Unknown option '--fast'[^]*\n(npm run|node) [^]*--directory D/);
    expect(stderr).not.toContain("at file:");
  },
);

test("a program that is asked for help says how it is called, and that was no mistake", () => {
  expect(call("bench/main.ts", "--help")).toMatchObject({ status: 0, stderr: "", stdout: expect.stringContaining("scenarios: upload, ") });
});

test("half a thing where things are counted, and nothing where something is needed", () => {
  expect(call("chaos/main.ts", "--nodes", "2.5", "--inside").stderr).toBe('--nodes is a whole number from 1 on, not "2.5".\n');
  expect(call("chaos/main.ts", "--minutes", "0", "--inside").stderr).toBe('--minutes is a number above 0, not "0".\n');
});

test.each(["bench/main.ts", "chaos/main.ts", "chaos/store/model.ts", "chaos/store/crash.ts"])(
  "%s, with a store that there is not: those that there are",
  (program) => {
    const { status, stderr } = call(program, "--store", "floppy");
    expect([status, stderr.replace(", memory", "")]).toEqual([2, '--store knows no "floppy", but file, segment.\n']);
  },
);

test("a command that there is not is not taken for none", () => {
  expect(call("chaos/main.ts", "mutnats").stderr).toMatch(/^There is no "mutnats"\.\nnpm run chaos/);
});

test("a word where a number belongs", () => {
  expect(call("bench/main.ts", "upload", "--rounds", "many")).toEqual({
    status: 2,
    stdout: "",
    stderr: '--rounds is a whole number from 1 on, not "many".\n',
  });
});
