/** The tray's one line. Pure. */
import { formatBytes, formatCount, formatDuration } from "@holdfast/ui";
import type { QueueView } from "./upload-store.ts";
import { timeLeftMs } from "./rate.ts";

export function headline(view: QueueView): string {
  const { count, done, failed, paused, interrupted, underWay } = view;
  if (view.signedOut) return "Sign in again to continue";
  if (underWay > 0)
    return count === 1 ? "Uploading 1 file" : `${done.toLocaleString("en")} of ${(count - interrupted).toLocaleString("en")} uploaded`;
  if (interrupted > 0) return `${formatCount(interrupted, "upload was", "uploads were")} interrupted`;
  if (paused > 0) return `${formatCount(paused, "upload")} paused`;
  if (failed > 0) return `${formatCount(failed, "upload")} failed`;
  return `${formatCount(done, "upload")} done`;
}

/** What is behind the headline: why it stands still, or how long it will take. */
export function headlineDetail(view: QueueView): string | undefined {
  if (view.waitingFor !== undefined) return view.waitingFor;
  if (view.underWay === 0) return undefined;
  const left = timeLeftMs(view.totalBytes - view.sentBytes, view.bytesPerSecond);
  return left === undefined ? `${formatBytes(view.sentBytes)} of ${formatBytes(view.totalBytes)}` : `${formatDuration(left)} left`;
}
