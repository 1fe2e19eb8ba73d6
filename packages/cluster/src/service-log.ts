/** Where a service's output goes: its own file in the data directory, whole; to the terminal only what a person should see. */
import type { ChildProcess } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, renameSync, statSync, type WriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { MiB } from "@holdfast/core/kernel";

const FILE_BYTES_MAX = 16 * MiB;
const HELD_LINES_MAX = 8;
const WARNING_LEVEL = 40;

export interface ServiceLog {
  /** Takes over both output streams of a process. */
  follow(child: ChildProcess): void;
  write(line: string): void;
  /** From now on, keeps back what a person would see. */
  hold(): void;
  /** Shows what was kept back, and all that follows. */
  release(): void;
  /** What was kept back, instead of showing it: why a start failed, in the service's own words. */
  takeHeld(): string;
  close(): void;
}

/** `isImportant` says which lines of plain text a person should see; of structured lines, it is warnings and errors. */
export function openServiceLog(
  dataDirectory: string,
  service: string,
  show: (line: string) => void,
  isImportant: (text: string) => boolean = () => true,
): ServiceLog {
  const stream = openFile(join(dataDirectory, "logs"), service);
  let held: string[] | undefined;
  const write = (line: string): void => {
    stream.write(`${line}\n`);
    const entry = parseEntry(line, isImportant);
    if (!entry.important) return;
    if (held === undefined) show(`${service}: ${entry.text}`);
    else held.push(entry.text);
  };
  const takeHeld = (): string[] => {
    const lines = held ?? [];
    held = undefined;
    return lines;
  };
  return {
    follow(child) {
      for (const output of [child.stdout!, child.stderr!]) createInterface({ input: output }).on("line", write);
    },
    write,
    hold: () => (held = []),
    release: () => takeHeld().forEach((text) => show(`${service}: ${text}`)),
    takeHeld: () => takeHeld().slice(-HELD_LINES_MAX).join("\n"),
    close: () => stream.end(),
  };
}

/** One older file is kept, so that logs never fill the disk. */
function openFile(directory: string, service: string): WriteStream {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${service}.log`);
  if (existsSync(file) && statSync(file).size > FILE_BYTES_MAX) renameSync(file, `${file}.1`);
  return createWriteStream(file, { flags: "a" });
}

/** A line of pino's, or plain text: what somebody printed for people, or a runtime's dying words. */
function parseEntry(line: string, isImportant: (text: string) => boolean): { text: string; important: boolean } {
  try {
    const { level, msg, err } = JSON.parse(line) as { level: number; msg?: string; err?: { message?: string } };
    const text = [msg, err?.message].filter(Boolean).join(": ");
    return { text, important: level >= WARNING_LEVEL };
  } catch {
    return { text: line, important: isImportant(line) };
  }
}
