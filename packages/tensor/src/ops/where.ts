import * as rows from "@fcn/kernels/pointwise";
import { record } from "../core/autograd.js";
import { checkLive, type Tensor } from "../core/tensor.js";
import { invalidDType, show } from "../plain/errors.js";
import { checkValue } from "../plain/options.js";
import { notNaN } from "../plain/rules.js";
import { broadcastShape } from "../plain/shape.js";
import { checkInt } from "./operands.js";
import { checkInt32, compute, type Operand, outputOrder, withNumber } from "./pointwise.js";
import { sumTo } from "./sumTo.js";

/**
 * a where the condition is not 0, elsewhere b, with broadcasting (torch.where). The condition is int32, as comparisons
 * give it; a and b are both floats or both int32, or numbers, which take the dtype of the other (float32 if both are).
 * Throws `invalid-shape` where the shapes do not broadcast, `invalid-dtype` for an integer beside a float.
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  checkInt("where", "condition", condition);
  for (const [name, x] of [
    ["a", a],
    ["b", b],
  ] as const) {
    if (typeof x === "number") checkValue("where", name, x, notNaN);
    else checkLive("where", name, x);
  }
  const asTensor = (x: Operand, other: Operand, use: (x: Tensor) => Tensor): Tensor => {
    if (typeof x !== "number") return use(x);
    const dtype = typeof other === "number" ? "float32" : other.dtype;
    if (dtype === "int32") checkInt32("where", x);
    return withNumber({ runtime: condition.runtime, dtype }, x, use);
  };
  return asTensor(a, b, (left) => asTensor(b, a, (right) => choose(condition, left, right)));
}

function choose(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  if ((a.dtype === "int32") !== (b.dtype === "int32")) {
    throw invalidDType(
      `where: a of shape ${show(a.shape)} has dtype ${a.dtype}, b of shape ${show(b.shape)} ${b.dtype}, expected both floats or both int32`,
      `convert one: a.to("${b.dtype}")`,
    );
  }
  const shape = broadcastShape("where", condition.shape, broadcastShape("where", a.shape, b.shape));
  const order = outputOrder(shape, a, b, condition);
  const part = a.dtype === "int32" ? "integer" : "forward";
  const y = compute(rows.where, part, { a, b, c: condition }, shape, order, {}, true);
  const targets = [a.shape, b.shape];
  return record("where", y, [a, b], [condition], (g, [c], needs) =>
    targets.map((target, i) => {
      if (!needs[i]) return undefined;
      const whole = compute(rows.where, i === 0 ? "da" : "db", { g, c }, shape, order, {}, false);
      return sumTo("where backward", whole, target);
    }),
  );
}
