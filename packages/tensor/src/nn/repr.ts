/** A number as Python prints it: 1e-05, where JavaScript has 0.00001. */
function pythonNumber(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e16)) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
}

/** A value as Python prints it. */
export function python(value: unknown): string {
  if (typeof value === "number") return pythonNumber(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === null || value === undefined) return "None";
  if (!Array.isArray(value)) return String(value);
  const items = value.map(python).join(", ");
  return value.length === 1 ? `(${items},)` : `(${items})`;
}

/** Options as PyTorch's `extra_repr` lists them: `kernel_size=2, stride=2`. What is undefined is left out. */
export const listed = (options: Readonly<Record<string, unknown>>): string =>
  Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${python(value)}`)
    .join(", ");
