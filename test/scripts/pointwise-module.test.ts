import { expect, it } from "vitest";
import { pointwiseModule } from "../../scripts/lib/pointwise-module.mjs";

const table = `/** The type of a row. */
export interface Row { readonly arity: 1 | 2 }
export const pointwise = {
  /** max(x, 0). */
  relu: { arity: 1, forward: "max(a, T(0.0))" },
  /** a equals b. */
  eq: { arity: 2, gives: "int32", forward: "a == b" },
  affine: { arity: 1, forward: "a * p.s + T(p.t)" },
  // A comment that is no doc comment.
  equal: { arity: 2, forward: "a == b" },
  /**
   * a + b.
   */
  add: {
    arity: 2,
    forward: "a + b",
  },
} as const;
`;

it("the rows with a doc comment are functions with that comment, marked for TypeDoc", () => {
  expect(pointwiseModule([table]).split("\n").slice(1)).toEqual([
    'import { binary, compare, unary } from "./pointwise.js";',
    "",
    "/**",
    " * max(x, 0).",
    " * @function",
    " */",
    'export const relu = /* @__PURE__ */ unary("relu");',
    "/**",
    " * a equals b.",
    " * @function",
    " */",
    'export const eq = /* @__PURE__ */ compare("eq");',
    "/**",
    " * a + b.",
    " * @function",
    " */",
    'export const add = /* @__PURE__ */ binary("add");',
    "",
  ]);
});
