/**
 * The name a node goes by: the one it asks for, or that with the first free number behind it.
 *
 * A name is for people, the number and the identity are what counts. So two machines that came with the same name, or a new
 * disk in the place of a dead one, are no reason to keep a node out.
 */
export function freeNodeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number += 1) name = `${wanted}-${number}`;
  return name;
}
