import { atMost, opCase } from "../cases.js";
import { at, build, type Nd } from "../nd.js";
import type { Capabilities } from "../plan.js";
import { type Part, type PointwiseName, planFlat } from "./plan.js";
import { type PointwiseRow, rowNamed } from "./row.js";
import * as rows from "./rows.js";

/** The numbers s and t of rows that have them. */
const NUMBERS = { s: 0.3, t: 0.8 };

interface Settings {
  readonly count: number;
}

function rowCase(name: PointwiseName) {
  const row: PointwiseRow = rowNamed(name);
  const part = (own: Part) => (s: Settings, caps: Capabilities) =>
    planFlat({ name, part: own, ...NUMBERS }, s.count, caps);
  const inputs = (["a", "b"] as const).slice(0, Math.min(row.arity, 2));
  const gradients = inputs.filter((input) => row[`d${input}`] && row[`d${input}`] !== "T(0.0)");
  return opCase({
    name,
    choices: { count: 1048576 },
    small: (s) => atMost(s, { count: 1000 }),
    result: ["y", "g"],
    operands({ count }) {
      const x = { shape: [count] };
      const given = row.takes
        ? ({ ...x, dtype: row.takes, given: { below: 100 } } as const)
        : ({ ...x, given: "between" } as const);
      return {
        ...Object.fromEntries(inputs.map((input) => [input, given])),
        ...(row.arity === 3 ? { c: { ...x, dtype: "int32", given: { below: 2 } } } : {}),
        y: row.gives ? { ...x, dtype: row.gives } : x,
        g: { ...x, given: "normal" },
        ...Object.fromEntries(gradients.map((input) => [`d${input}`, x])),
      };
    },
    plans: [
      {
        name: "forward",
        plan: part("forward"),
        operands: { result: "y" },
        expected(_, { a, b, c }) {
          const value = (x: Nd | undefined, i: readonly number[]) => (x ? at(x, i) : 0);
          const third = (i: readonly number[]) => (c ? at(c, i) : NUMBERS.s);
          return { y: build(a!.shape, (i) => row.reference(value(a, i), value(b, i), third(i), NUMBERS.t)) };
        },
      },
      ...gradients.map((input) => ({
        name: `gradient of ${input}`,
        plan: part(`d${input}`),
        operands: { result: `d${input}` },
        gradients: { [`d${input}`]: input },
      })),
    ],
  });
}

export const cases = (Object.keys(rows) as PointwiseName[]).map(rowCase);
