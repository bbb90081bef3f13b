const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Scans JSON text without building values, for nesting deeper than `maxDepth` and for the first name that is `twice` in
 * one object: JSON.parse would silently keep the last value. Invalid JSON gives an arbitrary result.
 */
export function scanJson(json: string, maxDepth: number): { tooDeep: boolean; twice: string | undefined } {
  const open: Set<string>[] = [];
  let [begin, end] = [0, 0];
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === QUOTE) {
      begin = i;
      end = i = stringEnd(json, i);
    } else if (code === 0x7b || code === 0x5b) {
      open.push(new Set());
      if (open.length > maxDepth) return { tooDeep: true, twice: undefined };
    } else if (code === 0x7d || code === 0x5d) open.pop();
    else if (code === 0x3a) {
      const name = unquote(json.slice(begin, end + 1));
      const names = open.at(-1);
      if (names?.has(name)) return { tooDeep: false, twice: name };
      names?.add(name);
    }
  }
  return { tooDeep: false, twice: undefined };
}

/** Where the closing quote of the string that starts at `begin` is. */
function stringEnd(json: string, begin: number): number {
  let i = begin + 1;
  while (i < json.length && json.charCodeAt(i) !== QUOTE) i += json.charCodeAt(i) === BACKSLASH ? 2 : 1;
  return i;
}

/** Different spellings of a name, such as "a" and "\u0061", are the same name. */
function unquote(text: string): string {
  if (!text.includes("\\")) return text.slice(1, -1);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
