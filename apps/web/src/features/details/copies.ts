/** How safe a file is, from how many nodes hold each of its chunks. */
import type { DataState } from "@holdfast/ui";
import type { Answers } from "../api/trpc.ts";

export type Copies = Answers["entries"]["details"]["copies"];

/** The worst chunk speaks for the file. Undefined when there is nothing to hold. */
export function copiesState({ wanted, fewest }: Pick<Copies, "wanted" | "fewest">): { state: DataState; words: string } | undefined {
  if (fewest === null) return undefined;
  const words = `${Math.min(fewest, wanted)} of ${wanted} copies`;
  if (fewest === 0) return { state: "unreadable", words: "No copy can be reached" };
  if (fewest >= wanted) return { state: "ok", words };
  return { state: fewest === 1 ? "degraded" : "at-risk", words };
}
