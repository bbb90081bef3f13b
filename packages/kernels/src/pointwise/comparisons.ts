import { EITHER_NAN, type PointwiseRow } from "./row.js";

/** Comparisons, whose results are int32, 1 or 0, and functions of such results. */
export const comparisons = {
  /**
   * Whether a equals b, with broadcasting (torch.eq): int32, 1 or 0; NaN equals nothing. Both are of one dtype; b may
   * be a number. Has no gradient. Nor has any comparison.
   */
  eq: {
    arity: 2,
    gives: "int32",
    forward: `select(R(0), R(1), (a == b) & !(${EITHER_NAN}))`,
    integer: "select(R(0), R(1), a == b)",
    reference: (a, b) => Number(a === b),
  },
  /**
   * Whether a differs from b, with broadcasting (torch.ne): int32, 1 or 0; NaN differs from everything. Operands as for
   * {@link eq}.
   */
  ne: {
    arity: 2,
    gives: "int32",
    forward: `select(R(0), R(1), (a != b) | ${EITHER_NAN})`,
    integer: "select(R(0), R(1), a != b)",
    reference: (a, b) => Number(a !== b),
  },
  /** Whether a > b, with broadcasting (torch.gt): int32, 1 or 0; 0 beside NaN. Operands as for {@link eq}. */
  gt: {
    arity: 2,
    gives: "int32",
    forward: `select(R(0), R(1), (a > b) & !(${EITHER_NAN}))`,
    integer: "select(R(0), R(1), a > b)",
    reference: (a, b) => Number(a > b),
  },
  /** Whether a >= b, with broadcasting (torch.ge): int32, 1 or 0; 0 beside NaN. Operands as for {@link eq}. */
  ge: {
    arity: 2,
    gives: "int32",
    forward: `select(R(0), R(1), (a >= b) & !(${EITHER_NAN}))`,
    integer: "select(R(0), R(1), a >= b)",
    reference: (a, b) => Number(a >= b),
  },
  /** Whether a < b, with broadcasting (torch.lt): int32, 1 or 0; 0 beside NaN. Operands as for {@link eq}. */
  lt: {
    arity: 2,
    gives: "int32",
    forward: `select(R(0), R(1), (a < b) & !(${EITHER_NAN}))`,
    integer: "select(R(0), R(1), a < b)",
    reference: (a, b) => Number(a < b),
  },
  /** Whether a <= b, with broadcasting (torch.le): int32, 1 or 0; 0 beside NaN. Operands as for {@link eq}. */
  le: {
    arity: 2,
    gives: "int32",
    forward: `select(R(0), R(1), (a <= b) & !(${EITHER_NAN}))`,
    integer: "select(R(0), R(1), a <= b)",
    reference: (a, b) => Number(a <= b),
  },
  /** 1 where x is 0, otherwise 0 (torch.logical_not). x is int32, and so is the result. */
  logicalNot: {
    arity: 1,
    takes: "int32",
    gives: "int32",
    forward: "select(R(1), R(0), a != T(0))",
    reference: (a) => Number(a === 0),
  },
  /** 1 where neither a nor b is 0, otherwise 0, with broadcasting (torch.logical_and). int32. */
  logicalAnd: {
    arity: 2,
    takes: "int32",
    gives: "int32",
    forward: "select(R(0), R(1), (a != T(0)) & (b != T(0)))",
    reference: (a, b) => Number(a !== 0 && b !== 0),
  },
  /** 1 where a or b is not 0, otherwise 0, with broadcasting (torch.logical_or). int32. */
  logicalOr: {
    arity: 2,
    takes: "int32",
    gives: "int32",
    forward: "select(R(0), R(1), (a != T(0)) | (b != T(0)))",
    reference: (a, b) => Number(a !== 0 || b !== 0),
  },
} as const satisfies Record<string, PointwiseRow>;
