"use client";
import { formatBytes, formatCount, formatExactTime, IconButton, RelativeTime, Skeleton, StateMark, wordsFor } from "@holdfast/ui";
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { type Answers, useTRPC } from "../api/trpc.ts";
import { EntryIcon } from "../entries/entry-icon.tsx";
import { copiesState } from "./copies.ts";

interface DetailsPanelProps {
  /** The entry to describe; the open folder when there is none. */
  entry: { id: string } | undefined;
  folderId: string;
  /** More than one selected row has no details of its own. */
  count: number;
  onClose: () => void;
}

/** What is known of one entry, beside the list; over it on a phone. */
export function DetailsPanel({ entry, folderId, count, onClose }: DetailsPanelProps) {
  return (
    <aside
      aria-label="Details"
      className="flex w-80 shrink-0 flex-col overflow-y-auto border-l bg-surface max-lg:absolute max-lg:inset-y-0 max-lg:right-0 max-lg:z-30 max-lg:shadow-md max-sm:w-full"
    >
      <div className="flex h-13 shrink-0 items-center justify-between border-b pr-2 pl-4">
        <h2 className="font-semibold">Details</h2>
        <IconButton label="Close details" shortcut="D" size="sm" onClick={onClose}>
          <X />
        </IconButton>
      </div>
      {count > 1 ? (
        <p className="p-4 text-ink-muted">{formatCount(count, "item")} selected.</p>
      ) : (
        <EntryDetails key={entry?.id} id={entry?.id ?? folderId} />
      )}
    </aside>
  );
}

function EntryDetails({ id }: { id: string }) {
  const { data, error } = useQuery(useTRPC().entries.details.queryOptions({ id }));
  if (error && !data) return <p className="p-4 text-ink-muted">{wordsFor(error)}</p>;
  if (!data) return <DetailsSkeleton />;

  const isRoot = data.parentId === null;
  const place = data.path.slice(0, -1).map((step, depth) => (depth === 0 ? "My Drive" : step.name));
  return (
    <div className="flex flex-col gap-5 p-4">
      <div className="flex items-start gap-3">
        <EntryIcon entry={data} className="mt-0.5 size-5 shrink-0" />
        <p className="font-semibold break-words" dir="auto">
          {isRoot ? "My Drive" : data.name}
        </p>
      </div>
      <dl className="grid grid-cols-[6rem_minmax(0,1fr)] gap-x-3 gap-y-3">
        {data.kind === "file" && <CopiesFact copies={data.copies} />}
        <Fact term="Type">{data.kind === "folder" ? "Folder" : data.mediaType || "Unknown"}</Fact>
        <Fact term="Size">
          <span title={`${data.sizeBytes.toLocaleString("en")} bytes`}>{formatBytes(data.sizeBytes)}</span>
        </Fact>
        {place.length > 0 && <Fact term="In">{place.join(" / ")}</Fact>}
        <Fact term="Modified">
          <RelativeTime at={data.modifiedAt} />
        </Fact>
        <Fact term="Created">{formatExactTime(data.createdAt)}</Fact>
        {data.versions.length > 1 && <Fact term="Versions">{data.versions.length}</Fact>}
      </dl>
    </div>
  );
}

function CopiesFact({ copies }: { copies: Answers["entries"]["details"]["copies"] }) {
  const summary = copiesState(copies);
  return <Fact term="Copies">{summary ? <StateMark state={summary.state}>{summary.words}</StateMark> : "Empty, nothing to keep"}</Fact>;
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-muted">{term}</dt>
      <dd className="figures break-words">{children}</dd>
    </>
  );
}

function DetailsSkeleton() {
  return (
    <div role="status" aria-label="Loading details" className="flex flex-col gap-4 p-4">
      <Skeleton className="h-5 w-48" />
      <Skeleton className="w-36" />
      <Skeleton className="w-40" />
      <Skeleton className="w-32" />
    </div>
  );
}
