/** What a file of classes can say about a class, and how; `classes.json` can say everything. */
const FORMS: Readonly<Record<string, { readonly says: readonly string[]; readonly form: string }>> = {
  "labelmap.txt": { says: ["name", "colour"], form: "as name:r,g,b::" },
  "class_names.txt": { says: ["name"], form: "one name a line" },
};

/**
 * Where to write the name, colour or value of a class, for remedies: the file that lists the classes if it can say
 * that, and otherwise a `classes.json`.
 *
 * @param file the name of the file that lists them; `classes.json` by default
 */
export function classListFor(what: "name" | "colour" | "value", file = "classes.json"): string {
  const { says, form } = FORMS[file] ?? {};
  if (says === undefined) return file;
  return says.includes(what) ? `${file} (${form})` : `a classes.json, which is read in place of ${file}`;
}
