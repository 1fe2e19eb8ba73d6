/** Strikes a script at each of its system calls, and holds what is left to what was acknowledged. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type StoreKind, type StoreKindName, storeKinds } from "@holdfast/core/chunk-store/testing/stores";
import type { LoopDisk } from "../faults/loop-disk.ts";
import type { CrashScriptName } from "./crash-scripts.ts";
import { type Call, type Course, type Fault, listCalls, strikeAt, type Subject } from "./crash-trial.ts";
import { askAgain, differences, placesAfter, restoreAll } from "./crash-verdict.ts";

export interface Sweep {
  kind: StoreKindName;
  script: CrashScriptName;
  fault: Fault;
  /** An empty directory, or a disk whose power can be cut. */
  ground: string | LoopDisk;
  /** The power is cut in the same moment, or only after a new process was asked for everything again. It is always cut then. */
  cutsAtOnce: boolean;
  /** 1 for all calls, 2 for every other one. */
  every: number;
}

export interface Swept {
  calls: number;
  /** Where the process was really struck; a run that makes fewer calls than the first is not. */
  struck: number;
  /** Answers that had to be kept, all runs together. */
  acknowledged: number;
  violations: string[];
}

export async function sweep(terms: Sweep): Promise<Swept> {
  const { ground, every, fault, cutsAtOnce } = terms;
  const directory = join(typeof ground === "string" ? ground : ground.directory, "store");
  const subject = { ...terms, directory };
  empty(directory);
  const calls = (await listCalls(subject)).filter((_call, index) => index % every === 0);
  const swept: Swept = { calls: calls.length, struck: 0, acknowledged: 0, violations: [] };
  for (const call of calls) {
    empty(directory);
    if (typeof ground !== "string") ground.sync();
    const course = await strikeAt(subject, call, fault);
    if (cutsAtOnce) cutPower(ground);
    if (isStruck(course)) swept.struck += 1;
    swept.acknowledged += [...course.outcomes.values()].filter((outcome) => typeof outcome === "boolean").length;
    const found = [...misconduct(course, fault), ...(await judge({ ...subject, mayUndo: cutsAtOnce }, course, () => cutPower(ground)))];
    swept.violations.push(...found.map((what) => `${fault} at ${describe(call)}: ${what}`));
  }
  return swept;
}

function describe({ thread, name, count }: Call): string {
  return `${name} ${count} of the ${thread} thread`;
}

function isStruck({ end, outcomes }: Course): boolean {
  return end !== "closed" || [...outcomes.values()].some((outcome) => typeof outcome === "string");
}

/** How the process itself took it: killed when it was to be killed; else alive, and refusing in words of the contract. */
function misconduct({ end, outcomes, stderr }: Course, fault: Fault): string[] {
  const found: string[] = [];
  if (end === "hung" || end === "died" || (end === "killed" && fault !== "KILL")) found.push(`the process ${end}: ${stderr}`);
  const told = [...outcomes.values()];
  const strange = told.filter((outcome) => typeof outcome === "string" && outcome !== "store.failed" && outcome !== "store.full");
  if (strange.length > 0) found.push(`it was answered ${strange.join(", ")}`);
  return found;
}

/** `cut`: between two processes. What was asked for again must survive it. */
async function judge(
  { kind, directory, script, mayUndo }: Subject & { mayUndo: boolean },
  { outcomes }: Course,
  cut: () => void,
): Promise<string[]> {
  const store: StoreKind = storeKinds[kind];
  try {
    const expected = placesAfter(script, outcomes, mayUndo);
    const reopened = await store.open(directory);
    const found = await differences(reopened, expected);
    const settled = await askAgain(reopened, expected);
    await reopened.close();
    cut();
    const again = await store.open(directory);
    found.push(...(await differences(again, settled)), ...(await restoreAll(again, settled)));
    await again.close();
    return found;
  } catch (error) {
    return [`the store cannot go on: ${(error as Error).stack}`];
  }
}

/** A directory has no power of its own. */
function cutPower(ground: string | LoopDisk): void {
  if (typeof ground === "string") return;
  ground.cutPower();
  ground.unmount();
  ground.mount();
}

function empty(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true });
}
