"use client";
import { buttonStyles, Button, cn, IconButton, ProgressBar } from "@holdfast/ui";
import { ChevronDown, ChevronUp, Pause, Play, X } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useState } from "react";
import { signInPath } from "../session/return-path.ts";
import { openChooser } from "./file-choosers.tsx";
import { headline, headlineDetail } from "./headline.ts";
import type { QueueView } from "./upload-store.ts";
import { UploadList } from "./upload-list.tsx";
import { useQueueView, useUploads } from "./use-uploads.ts";

/**
 * What is being uploaded, in the corner of every page. On a phone the corner is the New button's: the open list stands above
 * it, and the closed one beside it.
 */
export function UploadTray() {
  const view = useQueueView();
  const [open, setOpen] = useState(true);
  if (view.count === 0) return null;

  return (
    <section
      aria-label="Uploads"
      data-upload-tray={open ? "open" : "closed"}
      className={cn(
        "fixed right-4 bottom-4 z-30 flex w-96 flex-col overflow-hidden rounded-md bg-raised shadow-md max-sm:left-2 max-sm:w-auto",
        open
          ? "max-sm:right-2 max-sm:bottom-[calc(8.75rem+env(safe-area-inset-bottom))]"
          : "max-sm:right-22 max-sm:bottom-[calc(4.75rem+env(safe-area-inset-bottom))]",
      )}
    >
      <header className="flex h-12 items-center gap-1 pr-2 pl-4">
        <div className="min-w-0 flex-1">
          <h2 className="figures truncate font-semibold">
            <span role="status">{headline(view)}</span>
          </h2>
          <p className="figures truncate text-xs text-ink-muted empty:hidden">{headlineDetail(view)}</p>
        </div>
        <TrayActions view={view} />
        <IconButton label={open ? "Hide the list" : "Show the list"} aria-expanded={open} size="sm" onClick={() => setOpen(!open)}>
          {open ? <ChevronDown /> : <ChevronUp />}
        </IconButton>
        <CloseTray view={view} />
      </header>
      {view.underWay + view.paused > 0 && (
        <ProgressBar
          label="All uploads"
          share={view.totalBytes === 0 ? 0 : view.sentBytes / view.totalBytes}
          tone={view.underWay > 0 ? "active" : "paused"}
          className="[&>div]:h-0.5 [&>div]:rounded-none"
        />
      )}
      {open && (
        <>
          <Attention view={view} />
          <UploadList uploads={view.uploads} />
        </>
      )}
    </section>
  );
}

function TrayActions({ view }: { view: QueueView }) {
  const { queue } = useUploads();
  if (view.underWay > 0 && !view.signedOut) {
    return (
      <IconButton label="Pause all" size="sm" onClick={() => queue.pauseAll()}>
        <Pause />
      </IconButton>
    );
  }
  if (view.paused === 0) return null;
  return (
    <IconButton label="Resume all" size="sm" onClick={() => queue.resumeAll()}>
      <Play />
    </IconButton>
  );
}

function CloseTray({ view }: { view: QueueView }) {
  const { queue } = useUploads();
  if (view.underWay + view.paused + view.interrupted > 0) return null;
  return (
    <IconButton label="Close" size="sm" onClick={() => queue.clearFinished()}>
      <X />
    </IconButton>
  );
}

/** What only a person can do, above the list: sign in, or bring interrupted files back. */
function Attention({ view }: { view: QueueView }) {
  const { queue, resumeInterrupted } = useUploads();
  const pathname = usePathname();
  const interrupted = view.uploads.filter(({ phase }) => phase.name === "interrupted");
  const canReopen = interrupted.some(({ phase }) => phase.name === "interrupted" && phase.reopenable);

  if (view.signedOut && pathname !== "/sign-in") {
    return (
      <div className="flex items-center justify-between gap-3 border-t bg-at-risk-soft px-4 py-2.5 text-sm">
        <span>Your session ended. Nothing is lost.</span>
        <Link href={signInPath(pathname)} className={buttonStyles({ look: "primary", size: "sm" })}>
          Sign in
        </Link>
      </div>
    );
  }
  if (interrupted.length === 0) return null;
  return (
    <div className="flex flex-wrap items-center gap-2 border-t bg-tide-soft px-4 py-2.5 text-sm">
      <span className="min-w-0 flex-1">{canReopen ? "Ready to go on where they stopped." : "Choose the same files to go on."}</span>
      <Button size="sm" look="ghost" onClick={() => queue.cancel(interrupted.map(({ id }) => id))}>
        Discard
      </Button>
      <Button size="sm" look="primary" onClick={canReopen ? resumeInterrupted : () => openChooser("again")}>
        {canReopen ? "Resume" : "Choose files…"}
      </Button>
    </div>
  );
}
