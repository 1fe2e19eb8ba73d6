import { formatBytes, formatCount, formatDuration } from "@holdfast/ui";
import type { Answers } from "../api/trpc.ts";
import { Fact, Facts } from "../shell/facts.tsx";

/** What a change of the topology would do, in figures and in words. */
export function Preview({ preview }: { preview: Answers["topology"]["preview"] }) {
  const { allowed, refusal, chunksToMove, bytesToMove, etaSeconds, estimated, blockedBy } = preview;
  const remarks = [...(blockedBy === undefined ? [] : [blockedBy]), ...preview.warnings];
  return (
    <div className="rounded-md border" aria-live="polite">
      {!allowed && <p className="px-4 pt-4 font-medium text-unreadable">{refusal}</p>}
      <Facts>
        <Fact name="To copy">{bytesToMove === 0 ? "Nothing" : `${estimated ? "About " : ""}${formatBytes(bytesToMove)}`}</Fact>
        {chunksToMove > 0 && <Fact name="Chunks">{formatCount(chunksToMove, "copy leaves its place", "copies leave their place")}</Fact>}
        {etaSeconds !== undefined && bytesToMove > 0 && <Fact name="Takes about">{formatDuration(etaSeconds * 1000)}</Fact>}
      </Facts>
      {remarks.length > 0 && (
        <ul className="flex flex-col gap-1 px-4 pb-4">
          {remarks.map((remark) => (
            <li key={remark}>{remark}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
