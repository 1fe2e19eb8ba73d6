"use client";
import { type ReactNode, useMemo, useState } from "react";
import { useListCache } from "../entries/list-cache.ts";
import { useAccount } from "../session/use-account.ts";
import { ConflictDialog } from "./conflict-dialog.tsx";
import { FileChoosers } from "./file-choosers.tsx";
import { throttled } from "./throttle.ts";
import { UploadTray } from "./upload-tray.tsx";
import { createUploadSession } from "./upload-session.ts";
import { useAddUploads } from "./use-add-uploads.ts";
import { useConflictQuestion } from "./use-conflict-question.ts";
import { useInterruptedUploads } from "./use-interrupted-uploads.ts";
import { useUploadGuards } from "./use-upload-guards.ts";
import { UploadsContext } from "./use-uploads.ts";

/** How often lists are asked again while files arrive. */
const REFRESH_EVERY_MS = 1_000;

/** The uploads of the page, above every route: navigation does not touch them. */
export function UploadsProvider({ children }: { children: ReactNode }) {
  const cache = useListCache();
  const userId = useAccount()?.id;
  const [session] = useState(() => createUploadSession({ onPlaced: throttled(cache.refresh, REFRESH_EVERY_MS) }));
  const { question, ask, reply } = useConflictQuestion();
  const upload = useAddUploads({ session, userId, ask, onMade: cache.refresh });
  const { resumeInterrupted, resumeWith } = useInterruptedUploads(session, userId);
  useUploadGuards(session);

  const uploads = useMemo(() => ({ queue: session.queue, upload, resumeInterrupted }), [session, upload, resumeInterrupted]);
  return (
    <UploadsContext value={uploads}>
      {children}
      <UploadTray />
      <FileChoosers onChosen={(sources, parentId) => void upload(sources, parentId)} onChosenAgain={resumeWith} />
      <ConflictDialog question={question} onReply={reply} />
    </UploadsContext>
  );
}
