import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const SOURCE = fileURLToPath(new URL("../../packages/tensor/src", import.meta.url));
const read = (path: string): string => readFileSync(join(SOURCE, path), "utf8");

it("the codes that errors carry are those that ErrorCode lists, each with what it means", () => {
  const listed = [...read("errors.ts").matchAll(/^ {2}\/\/ .+\.\n {2}\| "([a-z-]+)"/gm)].map(([, code]) => code!);
  const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
  const given = files.flatMap((path) =>
    [...read(path).matchAll(/\bcode(?::| =) .*/g)].flatMap(([line]) =>
      [...line.matchAll(/"([a-z]+(?:-[a-z]+)*)"/g)].map(([, code]) => code!),
    ),
  );
  expect(listed).toHaveLength(new Set(listed).size);
  expect([...new Set(given)].sort()).toEqual([...listed].sort());
});
