/** A value as error messages show it. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  if (typeof value === "object" && value !== null) {
    const names = Object.keys(value).slice(0, 4);
    return names.length > 0 && Object.getPrototypeOf(value) === Object.prototype
      ? `an object with ${names.join(", ")}`
      : `an object (${value.constructor?.name ?? "of no class"})`;
  }
  return typeof value === "string" ? JSON.stringify(value) : typeof value === "function" ? "a function" : String(value);
}
