import { codeOf } from "../system-error.ts";
import { PAGE_BYTES } from "../../kernel/index.ts";
import type { PlacedFile } from "./placed-file.ts";

export type ReadableFile = Pick<PlacedFile, "read">;

/** Pages that the disk cannot read come out as zeros, which are nothing that was ever written: one bad sector must not keep a node from starting. */
export function aroundBadSectors(file: ReadableFile): ReadableFile {
  return {
    read: (into, position) =>
      file.read(into, position).catch((error: unknown) => {
        if (codeOf(error) !== "EIO") throw error;
        return readByPages(file, into, position);
      }),
  };
}

async function readByPages(file: ReadableFile, into: Buffer, position: number): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const page = into.subarray(done, done + PAGE_BYTES);
    const count = await file.read(page, position + done).catch((error: unknown) => {
      if (codeOf(error) !== "EIO") throw error;
      page.fill(0);
      return page.length;
    });
    done += count;
    if (count < page.length) break;
  }
  return done;
}
