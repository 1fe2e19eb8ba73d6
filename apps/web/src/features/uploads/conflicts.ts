/** Names that exist already: one question each, or one for all. */
import type { ConflictPolicy } from "./upload.ts";

/** A name that something in the target has already. */
export interface TakenName {
  name: string;
  /** What is being uploaded under it; folders are merged, so the question is about the files in it. */
  isFolder: boolean;
}

export interface Question extends TakenName {
  /** How many more names wait for the same question. */
  more: number;
}

export interface Reply {
  policy: ConflictPolicy;
  forAll: boolean;
}

/** What to do with each taken name; undefined when the person gave up on the whole upload. */
export async function settleConflicts(
  taken: readonly TakenName[],
  ask: (question: Question) => Promise<Reply | undefined>,
): Promise<Map<string, ConflictPolicy> | undefined> {
  const policies = new Map<string, ConflictPolicy>();
  for (const [index, { name, isFolder }] of taken.entries()) {
    const reply = await ask({ name, isFolder, more: taken.length - index - 1 });
    if (reply === undefined) return undefined;
    policies.set(name, reply.policy);
    if (!reply.forAll) continue;
    for (const other of taken.slice(index + 1)) policies.set(other.name, reply.policy);
    break;
  }
  return policies;
}

/** The name under which something dropped arrives in the target: its outermost folder, or its own. Composed, as the server keeps names. */
export function topName({ folders, name }: { folders: string; name: string }): string {
  return (folders.split("/", 1)[0] || name).normalize("NFC");
}
