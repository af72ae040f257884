/** One key of two ids, whatever characters are in them. */
export function pairKey(one: string, other: string): string {
  return `${one.length}:${one}${other}`;
}
