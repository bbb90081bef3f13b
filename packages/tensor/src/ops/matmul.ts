import { type MatmulCase, type MatrixStrides, planMatmul, planSum } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { contiguous, Tensor } from "../core/tensor.js";
import { invalidShape, show } from "../plain/errors.js";
import { identityOrder, stridesOf } from "../plain/layout.js";
import { broadcastShape, elementsOf } from "../plain/shape.js";
import { checkFloat } from "./operands.js";

/** The sizes of a product. A vector counts as a matrix with one row (a) or one column (b). */
interface Product {
  readonly batch: readonly number[];
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly shape: readonly number[];
}

function productOf(a: readonly number[], b: readonly number[]): Product {
  if (a.length === 0 || b.length === 0) {
    throw invalidShape(
      `matmul: a has shape ${show(a)} and b ${show(b)}, expected at least one dimension each`,
      "use mul to scale by a number",
    );
  }
  const inner = a.at(-1)!;
  const matching = b.at(-2) ?? b[0]!;
  if (inner !== matching) {
    throw invalidShape(
      `matmul: a has shape ${show(a)} and b ${show(b)}: the last dimension of a (${inner}) must equal the ${b.length > 1 ? "second-to-last" : "only"} of b (${matching})`,
      "transpose one operand with permute, or reshape it",
    );
  }
  const batch = broadcastShape("matmul", a.slice(0, -2), b.slice(0, -2));
  const rows = a.length > 1 ? [a.at(-2)!] : [];
  const columns = b.length > 1 ? [b.at(-1)!] : [];
  return { batch, rows: rows[0] ?? 1, inner, columns: columns[0] ?? 1, shape: [...batch, ...rows, ...columns] };
}

/** Strides of an operand along the dims of the product, 0 where it is repeated. */
function stridesIn(batch: readonly number[], x: Tensor, vector: "row" | "column"): MatrixStrides {
  const strides = stridesOf(x.shape, x.order);
  const [row, column] = x.shape.length > 1 ? strides.slice(-2) : vector === "row" ? [0, strides[0]] : [strides[0], 0];
  const missing = batch.length - Math.max(0, x.shape.length - 2);
  return {
    batch: batch.map((_, i) => (i < missing || x.shape[i - missing] === 1 ? 0 : strides[i - missing]!)),
    row: row!,
    column: column!,
  };
}

/** Strides of a row-major product [batch, rows, columns]. */
function denseStrides(batch: readonly number[], rows: number, columns: number): MatrixStrides {
  const strides = stridesOf([...batch, rows, columns], identityOrder(batch.length + 2));
  return { batch: strides.slice(0, -2), row: columns, column: 1 };
}

const transposed = ({ batch, row, column }: MatrixStrides): MatrixStrides => ({ batch, row: column, column: row });

/** Multiplies into a tensor of `shape`, and sums over the batch dims along which that operand was repeated. */
function gradientInto(
  shape: readonly number[],
  ownBatch: readonly number[],
  c: MatmulCase,
  a: Tensor,
  b: Tensor,
): Tensor {
  const { runtime } = a;
  const out = Tensor.empty(runtime, shape, { tracked: false });
  const plan = planned(planMatmul, c);
  if (elementsOf(ownBatch) === elementsOf(c.batch)) {
    runtime.run("matmul backward", plan, { a, b, c: out });
    return out;
  }
  using full = Tensor.empty(runtime, [...c.batch, c.rows, c.columns], { tracked: false });
  runtime.run("matmul backward", plan, { a, b, c: full });
  const missing = c.batch.length - ownBatch.length;
  const dims = c.batch.map((size, i) => ({ size, reduced: i < missing || ownBatch[i - missing] !== size }));
  const matrix = [c.rows, c.columns].map((size) => ({ size, reduced: false }));
  runtime.run("matmul backward", planned(planSum, [...dims, ...matrix], 1), { x: full, y: out });
  return out;
}

/**
 * Matrix product (torch.matmul) of float32 tensors: a [..., M, K] times b [..., K, N] gives [..., M, N], and the batch
 * dims broadcast. A vector a [K] counts as a row and a vector b [K] as a column; the dim of size 1 that this adds is
 * left out of the result. Throws `invalid-shape` if sizes do not match.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkFloat("matmul", "a", a);
  checkFloat("matmul", "b", b);
  const { batch, rows, inner, columns, shape } = productOf(a.shape, b.shape);
  const { runtime, shape: shapeA } = a;
  const { shape: shapeB } = b;
  const stridesA = stridesIn(batch, a, "row");
  const stridesB = stridesIn(batch, b, "column");
  const forward: MatmulCase = { batch, rows, inner, columns, a: stridesA, b: stridesB };
  const c = Tensor.empty(runtime, shape);
  runtime.run("matmul", planned(planMatmul, forward), { a, b, c });
  const saved = [b.requiresGrad ? a : undefined, a.requiresGrad ? b : undefined];
  return record("matmul", c, [a, b], saved, (grad, [savedA, savedB], [needA, needB]) => {
    using dc = contiguous(grad);
    const stridesC = denseStrides(batch, rows, columns);
    const toA = { batch, rows, inner: columns, columns: inner, a: stridesC, b: transposed(stridesB) };
    const toB = { batch, rows: inner, inner: rows, columns, a: transposed(stridesA), b: stridesC };
    return [
      needA ? gradientInto(shapeA, shapeA.slice(0, -2), toA, dc, savedB!) : undefined,
      needB ? gradientInto(shapeB, shapeB.slice(0, -2), toB, savedA!, dc) : undefined,
    ];
  });
}
