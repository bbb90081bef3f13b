/** The fields of an object from a file, those that have a former name under their present one. */
export const withPresentNames = (
  fields: object,
  present: Readonly<Record<string, string>>,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [present[name] ?? name, value]));
