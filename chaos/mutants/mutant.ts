/** A guard taken out of the code, and the proof that its absence is noticed. */
export interface Mutant {
  name: string;
  /** Each `find` must be in its file exactly once. */
  patches: readonly { file: string; find: string; replace: string }[];
  /** What must fail: tests of one project, or a run of the harness with these arguments. */
  caughtBy: { project: "unit" | "cluster"; tests: string } | { chaos: readonly string[] };
}

/** Throws unless the patch fits in exactly one place. */
export function patched(text: string, find: string, replace: string): string {
  const places = text.split(find).length - 1;
  if (places === 1) return text.replace(find, () => replace);
  throw new Error(`the patch fits ${places} places instead of one`);
}
