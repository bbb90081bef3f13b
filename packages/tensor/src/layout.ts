/**
 * Tensors are dense, and stored in any order of their dimensions: `order` lists the logical dimensions from the
 * outermost to the innermost in memory.
 */
export type Order = readonly number[];

/** Memory format of activations: N, H, W, C. */
export const CHANNELS_LAST: Order = [0, 2, 3, 1];
/** Memory format of convolution weights OIHW: H, W, I, O. */
export const WEIGHT_ORDER: Order = [2, 3, 1, 0];

export const identityOrder = (rank: number): Order => Array.from({ length: rank }, (_, i) => i);

/** Strides of the logical dimensions, in elements. */
export function stridesOf(shape: readonly number[], order: Order): number[] {
  const strides = new Array<number>(shape.length).fill(0);
  let step = 1;
  for (let i = order.length - 1; i >= 0; i--) {
    const dim = order[i]!;
    strides[dim] = step;
    step *= shape[dim]!;
  }
  return strides;
}

/** Whether two orders put the elements of this shape in the same places. Dimensions of size 1 make no difference. */
export function sameLayout(shape: readonly number[], a: Order, b: Order): boolean {
  const visible = (order: Order) => order.filter((dim) => shape[dim] !== 1);
  const [left, right] = [visible(a), visible(b)];
  return left.every((dim, i) => dim === right[i]);
}

/** The memory format for activations of this rank: channels last from rank 3 up, otherwise row-major. */
export function activationOrder(rank: number): Order {
  if (rank < 3) return identityOrder(rank);
  return [0, ...identityOrder(rank).slice(2), 1];
}
