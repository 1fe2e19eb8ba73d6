import type { Consistency } from "./finding.ts";

/** For a script: 0 clean, 1 something was found, 2 not everything could be looked at. */
export function exitCodeOf({ findings, unchecked }: Pick<Consistency, "findings" | "unchecked">): 0 | 1 | 2 {
  if (findings.length > 0) return 1;
  return unchecked.length > 0 ? 2 : 0;
}

/** Lines to print: one for each finding, then what was looked at and what came of it. */
export function describeConsistency({ findings, counts, unchecked, checked }: Consistency): string[] {
  const lines = findings.map(({ kind, subject, message }) => `${kind}  ${subject} ${message}`);
  for (const [kind, count] of Object.entries(counts)) {
    const shown = findings.filter((finding) => finding.kind === kind).length;
    if (count > shown) lines.push(`${kind}  and ${count - shown} more`);
  }
  const { chunks, copies, versions, nodes } = checked;
  lines.push(`Looked at ${versions} versions, ${chunks} chunks and ${copies} copies on ${nodes} nodes.`);
  return [...lines, ...unchecked, verdict({ counts, unchecked })];
}

function verdict({ counts, unchecked }: Pick<Consistency, "counts" | "unchecked">): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  if (total > 0) return `${total} ${total === 1 ? "thing is" : "things are"} not as they should be.`;
  return unchecked.length > 0 ? "Nothing wrong was found, but not everything could be looked at." : "Everything is as it should be.";
}
