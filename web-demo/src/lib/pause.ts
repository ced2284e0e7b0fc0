/** Between tries, in milliseconds. */
export interface Pauses {
  least: number;
  first: number;
  longest: number;
}

/**
 * How long to wait before the next try, the first being 1: at random up to a time that doubles with each, so that a
 * crowd that was cut off does not come back at once.
 */
export function pauseBefore(
  attempt: number,
  { least, first, longest }: Pauses,
  chance: () => number = Math.random,
): number {
  return least + chance() * Math.min(longest, first * 2 ** Math.min(attempt - 1, 20));
}
