import { cn } from "@holdfast/ui";
import {
  File,
  FileArchive,
  FileAudio,
  FileCode,
  FileImage,
  FileSpreadsheet,
  FileText,
  FileVideo,
  Folder,
  Presentation,
} from "lucide-react";
import type { Entry } from "./entry.ts";

const icons: readonly [RegExp, typeof File][] = [
  [/^image\//, FileImage],
  [/^video\//, FileVideo],
  [/^audio\//, FileAudio],
  [/zip|tar|gzip|compressed|rar|zstd/, FileArchive],
  [/spreadsheet|excel|csv/, FileSpreadsheet],
  [/presentation|powerpoint/, Presentation],
  [/pdf|word|opendocument.text/, FileText],
  [/json|javascript|typescript|xml|html|css|x-sh|x-python/, FileCode],
  [/^text\//, FileText],
];

export function EntryIcon({ entry, className }: { entry: Pick<Entry, "kind" | "mediaType">; className?: string }) {
  if (entry.kind === "folder")
    return <Folder aria-hidden className={cn("size-[1.125rem] fill-kelp/20 text-kelp", className)} strokeWidth={1.75} />;
  const Icon = icons.find(([pattern]) => pattern.test(entry.mediaType))?.[1] ?? File;
  return <Icon aria-hidden className={cn("size-[1.125rem] text-ink-faint", className)} strokeWidth={1.75} />;
}
