/** The tray's headline and order, from all uploads. Pure. */
import { isActive, isUnderWay, type Phase, type Upload } from "./upload.ts";

export interface Summary {
  count: number;
  done: number;
  failed: number;
  paused: number;
  interrupted: number;
  underWay: number;
  sentBytes: number;
  totalBytes: number;
  /** Of all together; 0 while only files go that are too small to be measured. */
  bytesPerSecond: number;
  /** Why nothing moves, when everything that should is waiting for the server. */
  waitingFor: string | undefined;
  signedOut: boolean;
}

export function summarize(uploads: readonly Upload[]): Summary {
  const tally = new Map<Phase["name"], number>();
  let sentBytes = 0;
  let totalBytes = 0;
  let bytesPerSecond = 0;
  for (const { phase, sentBytes: sent, sizeBytes, bytesPerSecond: speed } of uploads) {
    tally.set(phase.name, (tally.get(phase.name) ?? 0) + 1);
    if (phase.name === "failed") continue; // what cannot go on is no part of how far the rest is
    sentBytes += sent;
    totalBytes += sizeBytes;
    bytesPerSecond += speed;
  }
  const count = (name: Phase["name"]): number => tally.get(name) ?? 0;
  return {
    count: uploads.length,
    done: count("done"),
    failed: count("failed"),
    paused: count("paused"),
    interrupted: count("interrupted"),
    underWay: uploads.filter(isUnderWay).length,
    sentBytes,
    totalBytes,
    bytesPerSecond,
    waitingFor: count("sending") === 0 ? reasonToWait(uploads) : undefined,
    signedOut: count("signed-out") > 0,
  };
}

function reasonToWait(uploads: readonly Upload[]): string | undefined {
  for (const { phase } of uploads) if (phase.name === "waiting") return phase.why;
  return undefined;
}

/** What needs a person first, then what moves, what waits for its turn, and what is done; each in the order it was added. */
export function inTrayOrder(uploads: readonly Upload[]): Upload[] {
  const groups: Upload[][] = [[], [], [], []];
  for (const upload of uploads) groups[groupOf(upload)]!.push(upload);
  return groups.flat();
}

function groupOf(upload: Upload): number {
  const { name } = upload.phase;
  if (name === "failed" || name === "interrupted" || name === "signed-out") return 0;
  if (isActive(upload)) return 1;
  return name === "done" ? 3 : 2;
}
