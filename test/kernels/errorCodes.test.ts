import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const PACKAGES = fileURLToPath(new URL("../../packages", import.meta.url));
const read = (path: string): string => readFileSync(join(PACKAGES, path), "utf8");
const sources = (name: string): string[] =>
  readdirSync(join(PACKAGES, name, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && path !== "errorCodes.ts")
    .map((path) => read(join(name, "src", path)));

it("the codes that errors carry are those that ErrorCode lists, each with what it means", () => {
  const text = read("kernels/src/errorCodes.ts");
  const listed = [...text.matchAll(/^ {2}\/\/ .+\.\n {2}\| "([a-z-]+)"/gm)].map(([, code]) => code!);
  const all = [...text.matchAll(/^ {2}\| "([a-z-]+)"/gm)].map(([, code]) => code!);
  const source = ["kernels", "tensor", "fcn"].flatMap(sources).join("\n");
  const unused = listed.filter((code) => !source.includes(`"${code}"`));
  expect(listed).toEqual(all);
  expect(listed).toHaveLength(new Set(listed).size);
  // The compiler refuses a code that is not listed.
  expect(unused).toEqual([]);
});
