import { expect, it } from "vitest";
import { checkComments } from "../../scripts/lib/comments.mjs";

it.each([
  ["// ", ""],
  ["  /** ", " */"],
  ["   * ", ""],
])("a comment line has 120 columns at most: %s", (head, tail) => {
  const line = (columns: number) => `${head}${"x".repeat(columns - head.length - tail.length)}${tail}\n`;
  expect(checkComments("scripts/a.mjs", `\n${line(120)}`)).toEqual([]);
  expect(checkComments("scripts/a.mjs", `\n${line(121)}`)).toEqual([
    "scripts/a.mjs:2: a comment of 121 columns; 120 at most",
  ]);
});

it("code is the formatter's", () => {
  expect(checkComments("scripts/a.mjs", `const text = "${"x".repeat(120)}";\n`)).toEqual([]);
});
