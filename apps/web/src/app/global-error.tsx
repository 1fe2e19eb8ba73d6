"use client";
import { PageFault } from "../features/shell/page-fault.tsx";
import "./globals.css";

/** Stands in for the whole document when even the layout failed. */
export default function GlobalError({ retry }: { error: unknown; retry: () => void }) {
  return (
    <html lang="en">
      <head>
        <title>Something went wrong · Holdfast</title>
      </head>
      <body>
        <PageFault onRetry={retry} />
      </body>
    </html>
  );
}
