// Comparisons, whose results are int32, 1 or 0, and functions of such results.

import { row } from "./row.js";

/**
 * Whether a equals b, with broadcasting (torch.eq): int32, 1 or 0; NaN equals nothing. Both are of one dtype; b may
 * be a number. Has no gradient. Nor has any comparison.
 */
export const eq = /* @__PURE__ */ row("eq", {
  arity: 2,
  gives: "int32",
  forward: "select(R(0), R(1), (a == b) & !(isNan(a) | isNan(b)))",
  integer: "select(R(0), R(1), a == b)",
  reference: (a, b) => Number(a === b),
});

/**
 * Whether a differs from b, with broadcasting (torch.ne): int32, 1 or 0; NaN differs from everything. Operands as for
 * {@link eq}.
 */
export const ne = /* @__PURE__ */ row("ne", {
  arity: 2,
  gives: "int32",
  forward: "select(R(0), R(1), (a != b) | isNan(a) | isNan(b))",
  integer: "select(R(0), R(1), a != b)",
  reference: (a, b) => Number(a !== b),
});

/** Whether a > b, with broadcasting (torch.gt): int32, 1 or 0; 0 beside NaN. Operands as for {@link eq}. */
export const gt = /* @__PURE__ */ row("gt", {
  arity: 2,
  gives: "int32",
  forward: "select(R(0), R(1), (a > b) & !(isNan(a) | isNan(b)))",
  integer: "select(R(0), R(1), a > b)",
  reference: (a, b) => Number(a > b),
});

/** Whether a >= b, with broadcasting (torch.ge): int32, 1 or 0; 0 beside NaN. Operands as for {@link eq}. */
export const ge = /* @__PURE__ */ row("ge", {
  arity: 2,
  gives: "int32",
  forward: "select(R(0), R(1), (a >= b) & !(isNan(a) | isNan(b)))",
  integer: "select(R(0), R(1), a >= b)",
  reference: (a, b) => Number(a >= b),
});

/** Whether a < b, with broadcasting (torch.lt): int32, 1 or 0; 0 beside NaN. Operands as for {@link eq}. */
export const lt = /* @__PURE__ */ row("lt", {
  arity: 2,
  gives: "int32",
  forward: "select(R(0), R(1), (a < b) & !(isNan(a) | isNan(b)))",
  integer: "select(R(0), R(1), a < b)",
  reference: (a, b) => Number(a < b),
});

/** Whether a <= b, with broadcasting (torch.le): int32, 1 or 0; 0 beside NaN. Operands as for {@link eq}. */
export const le = /* @__PURE__ */ row("le", {
  arity: 2,
  gives: "int32",
  forward: "select(R(0), R(1), (a <= b) & !(isNan(a) | isNan(b)))",
  integer: "select(R(0), R(1), a <= b)",
  reference: (a, b) => Number(a <= b),
});

/** 1 where x is 0, otherwise 0 (torch.logical_not). x is int32, and so is the result. */
export const logicalNot = /* @__PURE__ */ row("logicalNot", {
  arity: 1,
  takes: "int32",
  gives: "int32",
  forward: "select(R(1), R(0), a != T(0))",
  reference: (a) => Number(a === 0),
});

/** 1 where neither a nor b is 0, otherwise 0, with broadcasting (torch.logical_and). int32. */
export const logicalAnd = /* @__PURE__ */ row("logicalAnd", {
  arity: 2,
  takes: "int32",
  gives: "int32",
  forward: "select(R(0), R(1), (a != T(0)) & (b != T(0)))",
  reference: (a, b) => Number(a !== 0 && b !== 0),
});

/** 1 where a or b is not 0, otherwise 0, with broadcasting (torch.logical_or). int32. */
export const logicalOr = /* @__PURE__ */ row("logicalOr", {
  arity: 2,
  takes: "int32",
  gives: "int32",
  forward: "select(R(0), R(1), (a != T(0)) | (b != T(0)))",
  reference: (a, b) => Number(a !== 0 || b !== 0),
});
