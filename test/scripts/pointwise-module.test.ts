import { expect, it } from "vitest";
import { pointwiseModule, rowNamesModule } from "../../scripts/lib/pointwise-module.mjs";

const table = `import { row } from "./row.js";

/** max(x, 0). */
export const relu = /* @__PURE__ */ row("relu", { arity: 1, forward: "max(a, T(0.0))" });
/** a equals b. */
export const eq = /* @__PURE__ */ row("eq", { arity: 2, gives: "int32", forward: "a == b" });
export const affine = /* @__PURE__ */ row("affine", { arity: 1, forward: "a * p.s + T(p.t)" });
// A comment that is no doc comment.
export const equal = /* @__PURE__ */ row("equal", { arity: 2, forward: "a == b" });
/**
 * a + b.
 */
export const add = /* @__PURE__ */ row("add", {
  arity: 2,
  forward: "a + b",
});
`;

it("the rows with a doc comment are functions with that comment, marked for TypeDoc", () => {
  expect(pointwiseModule([table]).split("\n").slice(1)).toEqual([
    "import {",
    "  relu as reluRow,",
    "  eq as eqRow,",
    "  add as addRow,",
    '} from "@fcn/kernels/pointwise";',
    'import { binary, compare, unary } from "./pointwise.js";',
    "",
    "/**",
    " * max(x, 0).",
    " * @function",
    " */",
    "export const relu = /* @__PURE__ */ unary(reluRow);",
    "/**",
    " * a equals b.",
    " * @function",
    " */",
    "export const eq = /* @__PURE__ */ compare(eqRow);",
    "/**",
    " * a + b.",
    " * @function",
    " */",
    "export const add = /* @__PURE__ */ binary(addRow);",
    "",
  ]);
  expect(rowNamesModule([table])).toContain('rowNames = [\n  "relu",\n  "eq",\n  "add",\n] as const;');
});
