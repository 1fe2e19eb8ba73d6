"use client";
import { formatBytes, formatDuration, formatRate, IconButton, ProgressBar } from "@holdfast/ui";
import { CircleCheck, CircleX, Pause, Play, RotateCw, X } from "lucide-react";
import { memo, type ReactNode } from "react";
import { EntryIcon } from "../entries/entry-icon.tsx";
import { timeLeftMs } from "./rate.ts";
import type { Phase, Upload } from "./upload.ts";
import { useUploads } from "./use-uploads.ts";

const tones: Partial<Record<Phase["name"], "active" | "paused" | "failed">> = { sending: "active", failed: "failed" };

/** One file: its name, how it goes, and what can be done about it. Redrawn only when something of it changed. */
export const UploadRow = memo(function UploadRow({ upload, top, height }: { upload: Upload; top: number; height: number }) {
  const { name, phase, sizeBytes, sentBytes } = upload;
  const started = sentBytes > 0 || phase.name === "sending";
  return (
    <li className="absolute inset-x-0 flex items-center gap-3 pr-2 pl-4" style={{ height, transform: `translateY(${top}px)` }}>
      <RowIcon upload={upload} />
      <div className="flex min-w-0 flex-1 flex-col gap-0.5">
        <div className="flex items-baseline gap-2">
          <span className="truncate text-left font-medium" dir="auto" title={upload.folders ? `${upload.folders}/${name}` : name}>
            {name}
          </span>
        </div>
        <p
          className={phase.name === "failed" ? "truncate text-xs text-unreadable" : "figures truncate text-xs text-ink-muted"}
          title={statusLine(upload)}
        >
          {statusLine(upload)}
        </p>
        {started && phase.name !== "done" && (
          <ProgressBar
            label={`Upload of ${name}`}
            share={sizeBytes === 0 ? 1 : sentBytes / sizeBytes}
            tone={tones[phase.name] ?? "paused"}
            className="mt-0.5 [&>div]:h-0.5"
          />
        )}
      </div>
      <RowActions upload={upload} />
    </li>
  );
});

function RowIcon({ upload: { phase, mediaType } }: { upload: Upload }) {
  if (phase.name === "done") return <CircleCheck aria-hidden className="size-[1.125rem] shrink-0 text-ok" />;
  if (phase.name === "failed") return <CircleX aria-hidden className="size-[1.125rem] shrink-0 text-unreadable" />;
  return <EntryIcon entry={{ kind: "file", mediaType }} className="shrink-0" />;
}

function statusLine({ phase, sentBytes, sizeBytes, bytesPerSecond }: Upload): string {
  const progress = sentBytes > 0 ? `${formatBytes(sentBytes)} of ${formatBytes(sizeBytes)}` : formatBytes(sizeBytes);
  switch (phase.name) {
    case "queued":
      return `${progress} · in line`;
    case "sending": {
      if (sizeBytes > 0 && sentBytes === sizeBytes) return `${formatBytes(sizeBytes)} · making it safe`;
      const left = timeLeftMs(sizeBytes - sentBytes, bytesPerSecond);
      return left === undefined ? progress : `${progress} · ${formatRate(bytesPerSecond)} · ${formatDuration(left)} left`;
    }
    case "waiting":
      return phase.why;
    case "signed-out":
      return `${progress} · waits for you to sign in`;
    case "paused":
      return `${progress} · paused`;
    case "failed":
      return phase.why;
    case "interrupted":
      return phase.reopenable ? `${progress} · interrupted` : `${progress} · choose it again`;
    case "done":
      return phase.placed.inRoot ? `${formatBytes(sizeBytes)} · in My Drive, for its folder is gone` : formatBytes(sizeBytes);
  }
}

function RowActions({ upload: { id, name, phase } }: { upload: Upload }) {
  const { queue } = useUploads();
  const cancel = (
    <RowAction label={`Cancel ${name}`} onClick={() => queue.cancel([id])}>
      <X />
    </RowAction>
  );
  switch (phase.name) {
    case "done":
      return null;
    case "queued":
    case "sending":
    case "waiting":
      return (
        <RowAction label={`Pause ${name}`} onClick={() => queue.pause([id])} then={cancel}>
          <Pause />
        </RowAction>
      );
    case "paused":
      return (
        <RowAction label={`Resume ${name}`} onClick={() => queue.resume([id])} then={cancel}>
          <Play />
        </RowAction>
      );
    case "failed":
      return (
        <RowAction label={`Retry ${name}`} onClick={() => queue.resume([id])} then={cancel}>
          <RotateCw />
        </RowAction>
      );
    case "signed-out":
    case "interrupted":
      return cancel;
  }
}

interface RowActionProps {
  label: string;
  onClick: () => void;
  children: ReactNode;
  /** The button after it. */
  then?: ReactNode;
}

function RowAction({ label, onClick, children, then }: RowActionProps) {
  return (
    <>
      <IconButton label={label} size="sm" onClick={onClick}>
        {children}
      </IconButton>
      {then}
    </>
  );
}
