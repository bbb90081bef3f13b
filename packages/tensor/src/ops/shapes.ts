import { planCopy } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { method } from "../core/method.js";
import { planned } from "../core/planned.js";
import { checkLive, Tensor } from "../core/tensor.js";
import { invalidArgument, invalidShape, show } from "../plain/errors.js";
import { identityOrder, stridesOf } from "../plain/layout.js";
import { checkOptions, checkValue } from "../plain/options.js";
import { checkedInUse, integer, type RulesOf, whole } from "../plain/rules.js";
import { checkList, checkMaxRank, checkShape, dimIndex, isList, sameShape } from "../plain/shape.js";
import { concat, slice } from "./movement.js";
import { sumTo } from "./sumTo.js";
import { permute, reshape } from "./view.js";

export interface DimOptions {
  /** Negative ones count from the end. Default 0. */
  readonly dim?: number | undefined;
}

const DIM: RulesOf<DimOptions> = { dim: integer };

/**
 * x with a new dimension of size 1 at `dim` of the result, as a view (torch.unsqueeze); negative ones from the end.
 * @function
 */
export const unsqueeze = /* @__PURE__ */ method("unsqueeze", (x: Tensor, dim: number): Tensor => {
  checkLive("unsqueeze", "x", x);
  const at = dimIndex("unsqueeze", dim, x.shape.length + 1);
  const shape = [...x.shape.slice(0, at), 1, ...x.shape.slice(at)];
  checkMaxRank("unsqueeze", shape);
  const order = [at, ...x.order.map((d) => (d < at ? d : d + 1))];
  return record("unsqueeze", x.alias({ shape, order, tracked: true }), [x], [], (grad) => [without(grad, [at])]);
});

/** An untracked view without the dims `gone`, whose size is 1. */
function without(x: Tensor, gone: readonly number[], tracked = false): Tensor {
  const kept = identityOrder(x.shape.length).filter((d) => !gone.includes(d));
  return x.alias({
    shape: kept.map((d) => x.shape[d]!),
    order: x.order.filter((d) => !gone.includes(d)).map((d) => kept.indexOf(d)),
    tracked,
  });
}

export interface SqueezeOptions {
  /** The dim, or dims, to leave out where their size is 1. All of that size if absent. */
  readonly dim?: number | readonly number[] | undefined;
}

/**
 * x without dimensions of size 1 (torch.squeeze). Dims of another size stay.
 * @function
 */
export const squeeze = /* @__PURE__ */ method("squeeze", (x: Tensor, options: SqueezeOptions = {}): Tensor => {
  checkLive("squeeze", "x", x);
  checkOptions<SqueezeOptions>("squeeze", options, { dim: checkedInUse });
  const { dim } = options;
  const rank = x.shape.length;
  const given = dim === undefined ? identityOrder(rank) : [dim].flat().map((d) => dimIndex("squeeze", d, rank));
  const gone = given.filter((d) => x.shape[d] === 1);
  const { shape } = x;
  const out = without(x, gone, true);
  return record("squeeze", out, [x], [], (grad) => {
    const kept = identityOrder(rank).filter((d) => !gone.includes(d));
    return [grad.alias({ shape, order: [...new Set(gone), ...grad.order.map((d) => kept[d]!)] })];
  });
});

/**
 * x with two dimensions swapped, as a view (torch.transpose).
 * @function
 */
export const transpose = /* @__PURE__ */ method("transpose", (x: Tensor, a: number, b: number): Tensor => {
  checkLive("transpose", "x", x);
  const [from, to] = [a, b].map((dim) => dimIndex("transpose", dim, x.shape.length)) as [number, number];
  return permute(
    x,
    x.shape.map((_, d) => (d === from ? to : d === to ? from : d)),
  );
});

export interface FlattenOptions {
  /** The first dim to merge. Default 0. */
  readonly startDim?: number;
  /** The last one. Default -1. */
  readonly endDim?: number;
}

/**
 * x with the dims from `startDim` to `endDim` merged into one (torch.flatten). A scalar becomes [1].
 * @function
 */
export const flatten = /* @__PURE__ */ method("flatten", (x: Tensor, options: FlattenOptions = {}): Tensor => {
  checkLive("flatten", "x", x);
  checkOptions<FlattenOptions>("flatten", options, { startDim: integer, endDim: integer });
  const [start, end] = [options.startDim ?? 0, options.endDim ?? -1].map((d) =>
    dimIndex("flatten", d, x.shape.length),
  ) as [number, number];
  if (end < start) {
    throw invalidArgument(
      `flatten: startDim ${start} comes after endDim ${end} in shape ${show(x.shape)}`,
      "choose startDim <= endDim",
    );
  }
  const merged = x.shape.slice(start, end + 1).reduce((a, b) => a * b, 1);
  return reshape(x, [...x.shape.slice(0, start), merged, ...x.shape.slice(end + 1)]);
});

/**
 * x repeated along new leading dimensions and those of size 1 (torch.Tensor.expand), where -1 leaves a size as it is.
 * The result has its own memory. Throws `invalid-shape` where x does not broadcast to `shape`.
 * @function
 */
export const expand = /* @__PURE__ */ method("expand", (x: Tensor, shape: readonly number[]): Tensor => {
  checkLive("expand", "x", x);
  checkList("expand", "shape", shape);
  const lead = shape.length - x.shape.length;
  const sizes = shape.map((size, d) => (size === -1 && d >= lead ? x.shape[d - lead]! : size));
  checkShape("expand", sizes);
  if (lead < 0 || x.shape.some((size, d) => size !== 1 && size !== sizes[d + lead])) {
    throw invalidShape(
      `expand: ${show(x.shape)} does not broadcast to ${show(shape)}`,
      "only dimensions of size 1 can be repeated, and new ones come first",
    );
  }
  const order = [...identityOrder(lead), ...x.order.map((d) => d + lead)];
  const out = Tensor.empty(x.runtime, sizes, { dtype: x.dtype, order });
  const own = stridesOf(x.shape, x.order);
  const from = sizes.map((_, d) => (d < lead || x.shape[d - lead] === 1 ? 0 : own[d - lead]!));
  x.runtime.run("expand", planned(planCopy, { sizes, from, to: stridesOf(sizes, order) }), { src: x, dst: out });
  const target = x.shape;
  return record("expand", out, [x], [], (grad) => [sumTo("expand backward", grad.alias(), target)]);
});

/** Joins tensors of one shape along a new dimension `dim`, by default 0 (torch.stack). */
export function stack(list: readonly Tensor[], options: DimOptions = {}): Tensor {
  if (!isList(list) || list.length === 0) {
    throw invalidArgument("stack: the first argument is no list of tensors, or an empty one", {
      code: "pass stack([a, b], { dim })",
    });
  }
  checkOptions<DimOptions>("stack", options, DIM);
  for (const x of list) checkLive("stack", "a tensor", x);
  const [first] = list as [Tensor];
  const other = list.find((x) => !sameShape(x.shape, first.shape) || x.dtype !== first.dtype);
  if (other) {
    throw invalidShape(
      `stack: ${show(other.shape)} (${other.dtype}) beside ${show(first.shape)} (${first.dtype})`,
      "make all shapes and dtypes equal",
    );
  }
  const dim = dimIndex("stack", options.dim ?? 0, first.shape.length + 1);
  const parts = list.map((x) => unsqueeze(x, dim));
  try {
    return concat(parts, { dim });
  } finally {
    for (const part of parts) part.dispose();
  }
}

/**
 * Parts of x along `dim`, by default 0 (torch.split): of the size that is given, the last one smaller where it does not
 * divide, or of the sizes in a list. Throws `invalid-argument` where these do not add up.
 * @function
 */
export const split = /* @__PURE__ */ method(
  "split",
  (x: Tensor, sizes: number | readonly number[], options: DimOptions = {}): Tensor[] => {
    return parted("split", x, options, (total) => {
      if (typeof sizes === "number") {
        checkValue("split", "size", sizes, whole(1));
        return Array.from({ length: Math.ceil(total / sizes) }, (_, i) => Math.min(sizes, total - i * sizes));
      }
      checkList("split", "sizes", sizes);
      for (const size of sizes) checkValue("split", "a size", size, whole(1));
      return sizes;
    });
  },
);

/**
 * At most `chunks` parts of x along `dim`, by default 0, of one size but for a smaller last one (torch.chunk). There
 * are fewer where so many of that size are not needed.
 * @function
 */
export const chunk = /* @__PURE__ */ method(
  "chunk",
  (x: Tensor, chunks: number, options: DimOptions = {}): Tensor[] => {
    checkValue("chunk", "chunks", chunks, whole(1));
    return parted("chunk", x, options, (total) => {
      const size = Math.ceil(total / chunks);
      return Array.from({ length: Math.ceil(total / size) }, (_, i) => Math.min(size, total - i * size));
    });
  },
);

function parted(op: string, x: Tensor, options: DimOptions, sizesOf: (total: number) => readonly number[]): Tensor[] {
  checkLive(op, "x", x);
  checkOptions<DimOptions>(op, options, DIM);
  if (x.shape.length === 0) throw invalidShape(`${op}: a scalar has no dimension to cut`, "reshape it to [1] first");
  const dim = dimIndex(op, options.dim ?? 0, x.shape.length);
  const total = x.shape[dim]!;
  const sizes = sizesOf(total);
  if (sizes.reduce((a, b) => a + b, 0) !== total) {
    throw invalidArgument(
      `${op}: the sizes ${show(sizes)} do not add up to ${total}, the size of dim ${dim} of ${show(x.shape)}`,
      `choose sizes whose sum is ${total}`,
    );
  }
  let start = 0;
  return sizes.map((size) => {
    const range = [start, start + size] as const;
    start += size;
    return slice(
      x,
      x.shape.map((_, d) => (d === dim ? range : undefined)),
    );
  });
}
