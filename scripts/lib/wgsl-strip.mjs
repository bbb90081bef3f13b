const isWord = (character) => /\w/.test(character);
const isOperator = (character) => /[-+*/%&|^!=<>~.]/.test(character);

/** The source without its comments, each of which leaves a space; block comments of WGSL nest. */
function withoutComments(source) {
  let [text, depth] = ["", 0];
  for (const [part] of source.matchAll(/\/\*|\*\/|\/\/[^\n]*|[^*/]+|./gs)) {
    if (part === "/*") depth++;
    if (depth === 0) text += part.startsWith("//") ? " " : part;
    if (part === "*/" && depth > 0 && --depth === 0) text += " ";
  }
  return text;
}

/**
 * The same WGSL, token by token, without comments, indents, blank lines and the spaces that part no two tokens. Lines
 * stay lines, since compilers quote them.
 */
export function stripWgsl(source) {
  const lines = withoutComments(source)
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " "));
  return lines
    .filter((line) => line !== "")
    .join("\n")
    .replace(/(?<=(.)) (?=(.))/g, (space, before, after) => {
      const joins = (isWord(before) && isWord(after)) || (isOperator(before) && isOperator(after));
      return joins ? space : "";
    });
}
