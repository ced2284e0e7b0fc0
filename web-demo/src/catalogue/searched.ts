// What the list is about, where the graph searched for something else than what was typed.
export function searchedFor(asked: string, corrected: string | null | undefined): string | null {
  if (!asked || !corrected) return null;
  return `Showing results for “${corrected}”: nothing was found for “${asked}”.`;
}
