const patterns = { "**/": "(?:.*/)?", "*": "[^/]*", ".": "\\.", "{": "(?:", "}": ")", ",": "|" };

/** A pattern of paths with `*`, `**` and `{a,b}`. */
const expression = (glob) => new RegExp(`^${glob.replace(/\*\*\/|[*.{},]/g, (part) => patterns[part])}$`);

/** Whether a path is one of the patterns, and none of those that begin with `!`. */
export function matchesAny(globs, path) {
  const matches = (glob) => expression(glob).test(path);
  const [no, yes] = [globs.filter((glob) => glob.startsWith("!")), globs.filter((glob) => !glob.startsWith("!"))];
  return yes.some(matches) && !no.some((glob) => matches(glob.slice(1)));
}
