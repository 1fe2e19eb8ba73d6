/**
 * A list among the parameters of a named statement, `$1::uuid[]`, whose length the planner does not see. A plan for lists of any
 * length looks dearer to it than one for this short list, so that it would plan anew each time: more work than the statement's own.
 */
export function listOfAnyLength(parameter: string): string {
  return `(SELECT ${parameter})`;
}
