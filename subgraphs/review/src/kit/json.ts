/**
 * JSON as the house's other services read it: in UTF-8, not nested without end, no name twice in one object, no half of
 * a surrogate pair. `JSON.parse` takes the last of two equal names, and whoever checked the text before may have taken
 * the first.
 */

const MAX_DEPTH = 128;
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]]/gs;

/** Reads a text or its bytes; throws what it can't read. */
export function parseJson(given: string | Uint8Array): unknown {
  const text = typeof given === "string" ? given : new TextDecoder("utf-8", { fatal: true }).decode(given);
  const value: unknown = JSON.parse(text);
  // From here on the text is known to be JSON, so its tokens are easily told.
  const open: (Set<string> | undefined)[] = [];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      open.push(token === "{" ? new Set() : undefined);
      if (open.length > MAX_DEPTH) throw new SyntaxError("nested too deeply");
    } else if (token === "}" || token === "]") {
      open.pop();
    } else {
      const read = JSON.parse(token) as string;
      if (!read.isWellFormed()) throw new SyntaxError("half of a surrogate pair");
      const names = open.at(-1);
      if (names === undefined || !isName(text, index + token.length)) continue;
      if (names.has(read)) throw new SyntaxError("a name twice");
      names.add(read);
    }
  }
  return value;
}

const COLON = /\s*:/y;

function isName(text: string, end: number): boolean {
  COLON.lastIndex = end;
  return COLON.test(text);
}
