/** Figures as this harness prints them. */

/** Nothing in n tries is no proof of never: 3/n is what 95 % confidence leaves possible. */
export function outOf(count: number, tries: number): string {
  return count === 0 ? `0 of ${tries} (< 3/${tries}, 95 %)` : `${count} of ${tries}`;
}

export function describeCounts(counts: Iterable<readonly [name: string, count: number]>): string {
  const some = [...counts].filter(([, count]) => count > 0);
  return some.map(([name, count]) => `${name} ${count}`).join(", ") || "none";
}

export function row(name: string, text: string): string {
  return `  ${name.padEnd(32)}${text}`;
}
