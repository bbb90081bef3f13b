import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const PACKAGES = fileURLToPath(new URL("../../../../packages", import.meta.url));
const WORKER = join(PACKAGES, "fcn/src/data/workers/worker.ts");

/** The files of this package that a file loads, itself included. */
function loaded(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const imports = readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)\.js"/g);
  for (const [, path] of imports) loaded(join(dirname(file), `${path}.ts`), seen);
  return seen;
}

it("threads that are ended by force never open a GPU: Dawn would end the process with them", () => {
  const files = [...loaded(WORKER)];
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) expect(readFileSync(file, "utf8"), file).not.toMatch(/createDevice|webgpu/);
});

it("no other threads are ended by force", () => {
  const sources = readdirSync(PACKAGES, { recursive: true, encoding: "utf8" }).filter((path) =>
    /^\w+\/src\/.*\.ts$/.test(path),
  );
  const ending = sources.filter((path) =>
    /^(?!\s*\*).*\.terminate\(/m.test(readFileSync(join(PACKAGES, path), "utf8")),
  );
  expect(ending).toEqual(["fcn/src/data/workers/pool.ts"]);
});
