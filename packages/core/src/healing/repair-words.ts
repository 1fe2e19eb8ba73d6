import type { NodeSnapshot } from "../membership/index.ts";
import { bytesInWords, capitalised, chunksCounted, chunksHave, inWords, listed } from "../wording/index.ts";
import type { RoundTally } from "./repair-round.ts";
import type { Survey } from "./survey.ts";
import type { HealingView } from "./view.ts";

/** What is missing, and who is to blame: "node-2 is down: 3,152 chunks (6.4 GB) have one copy too few." */
export function whyRepair(survey: Survey, view: HealingView): string {
  const chunks = survey.due.chunks + survey.awaited.chunks;
  const bytes = survey.due.bytes + survey.awaited.bytes;
  const away = absentNodes(view);
  const cause = away.length === 0 ? "" : `${listed(away.map(({ name }) => name))} ${away.length === 1 ? "is" : "are"} ${absence(away)}: `;
  if (chunks === 0) return `${cause}${chunksHave(survey.unreadable)} no copy within reach.`;
  const [noun, verb] = chunksHave(chunks).split(/ (?=has|have)/);
  return `${cause}${noun} (${bytesInWords(bytes)}) ${verb} ${away.length > 1 ? "too few copies" : "one copy too few"}.`;
}

/** Why nothing is copied yet, although copies are missing. */
export function whyWaiting(view: HealingView, repairAfterMs: number): string {
  const awaited = view.nodes.filter(({ id }) => view.terms.awaited.has(id));
  const names = listed(awaited.map(({ name }) => name));
  const inMaintenance = awaited.every(({ intent }) => intent === "maintenance");
  return inMaintenance
    ? `${names} ${awaited.length === 1 ? "is" : "are"} in maintenance; the missing copies are awaited with ${awaited.length === 1 ? "it" : "them"}.`
    : `${names} may come back: a node that is down is awaited for ${inWords(Math.round(repairAfterMs / 1_000))} seconds, unless one copy is left.`;
}

export const PAUSED = "An operator paused it. Chunks with one copy left are repaired all the same.";

/** `blocked` is a clause of a plan. */
export function whyBlocked({ blocked, blockedChunks, failed }: RoundTally): string {
  if (blockedChunks > 0) return `${capitalised(blocked)}.`;
  return failed === 0
    ? ""
    : `${chunksCounted(failed)} could not be copied: no source was whole, or no node took a copy. It will be tried again.`;
}

export function whyUnreadable(chunks: number): string {
  return `${chunksHave(chunks)} no copy within reach, and ${chunks === 1 ? "waits" : "wait"} for a node that has one.`;
}

function absentNodes({ nodes, absent }: HealingView): NodeSnapshot[] {
  return nodes.filter(({ id, intent }) => absent.includes(id) && intent !== "removed");
}

function absence(nodes: readonly NodeSnapshot[]): string {
  return nodes.every(({ intent }) => intent === "maintenance") ? "in maintenance" : "down";
}
