"use client";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import type { Upload } from "./upload.ts";
import { UploadRow } from "./upload-row.tsx";

const ROW_HEIGHT = 60;
const ROWS_SHOWN = 5;

/** Only the rows in sight are drawn: there may be ten thousand. */
export function UploadList({ uploads }: { uploads: readonly Upload[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: uploads.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => uploads[index]!.id,
    overscan: 4,
    useFlushSync: false,
  });
  return (
    <div
      ref={scroller}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a list that scrolls must be reachable by keyboard
      tabIndex={0}
      role="region"
      aria-label="Files"
      className="overflow-y-auto border-t focus-visible:-outline-offset-2"
      style={{ height: Math.min(uploads.length, ROWS_SHOWN) * ROW_HEIGHT }}
    >
      <ul className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, key, start }) => (
          <UploadRow key={key} upload={uploads[index]!} top={start} height={ROW_HEIGHT} />
        ))}
      </ul>
    </div>
  );
}
