import type { ClusterReport } from "@holdfast/core/cluster-state";
import { Card, CardHeader, type DataState, formatCount, Skeleton, StateMark } from "@holdfast/ui";
import { Age } from "../live/age.tsx";

/** How many chunks have how many copies within reach, the best first. */
export function CopiesCard({ cluster }: { cluster: ClusterReport | undefined }) {
  const chunks = cluster?.chunks;
  return (
    <Card>
      <CardHeader
        title="Copies"
        description={
          chunks ? (
            <>
              {formatCount(chunks.total, "chunk")}, counted <Age at={chunks.countedAt} />
            </>
          ) : (
            "Chunks by their copies within reach"
          )
        }
      />
      <div className="flex flex-col gap-3 px-4 py-4">
        {cluster === undefined && [0, 1, 2, 3].map((row) => <Skeleton key={row} className="h-5" />)}
        {chunks === null && (
          <p className="text-ink-muted">Not counted yet: the controller has not reached its database since it started.</p>
        )}
        {chunks && (
          <ul className="flex flex-col gap-3">
            {Object.entries(chunks.byCopies)
              .map(([copies, count]) => ({ copies: Number(copies), count }))
              .toSorted((a, b) => b.copies - a.copies)
              .map(({ copies, count }) => (
                <CopiesRow key={copies} copies={copies} count={count} total={chunks.total} wanted={cluster.replicas} />
              ))}
          </ul>
        )}
      </div>
    </Card>
  );
}

function CopiesRow({ copies, count, total, wanted }: { copies: number; count: number; total: number; wanted: number }) {
  const state = stateOfCopies(copies, wanted);
  const share = total === 0 ? 0 : count / total;
  return (
    <li className="grid grid-cols-[6.5rem_minmax(0,1fr)_5rem] items-center gap-3">
      <StateMark state={state} className={count === 0 ? "text-ink-muted" : undefined}>
        {copies === 0 ? "No copy" : formatCount(copies, "copy", "copies")}
      </StateMark>
      <div aria-hidden className="h-2 overflow-hidden rounded-full bg-line">
        {count > 0 && <div className={`h-full min-w-1 rounded-full ${barColors[state]}`} style={{ width: `${share * 100}%` }} />}
      </div>
      <span className="figures text-right text-ink">{count.toLocaleString("en")}</span>
    </li>
  );
}

const barColors: Record<DataState, string> = {
  ok: "bg-ok",
  "at-risk": "bg-at-risk",
  degraded: "bg-degraded",
  unreadable: "bg-unreadable",
  unknown: "bg-unknown",
};

function stateOfCopies(copies: number, wanted: number): DataState {
  if (copies >= wanted) return "ok";
  if (copies === 0) return "unreadable";
  return copies === 1 ? "degraded" : "at-risk";
}
