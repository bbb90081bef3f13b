const MAX_COLUMNS = 120;

/**
 * Finds comment lines that are too long; the formatter leaves these as they are.
 * @returns {string[]} one line for each offence: `path:line: what is wrong`
 */
export function checkComments(path, text) {
  return text.split("\n").flatMap((line, i) => {
    const long = line.length > MAX_COLUMNS && /^\s*(\/\/|\/\*|\*)/.test(line);
    return long ? [`${path}:${i + 1}: a comment of ${line.length} columns; ${MAX_COLUMNS} at most`] : [];
  });
}
