import type { nn } from "@fcn/tensor";
import { uniform } from "./hash-values.js";

/** Bound of a weight [out, in, kh, kw] that keeps the size of what passes through it (He, uniform). */
const heBound = (shape: readonly number[]): number => Math.sqrt(6 / shape.slice(1).reduce((a, b) => a * b, 1));

/**
 * Seeded values in all parameters and running statistics, none of them at what it starts with: a layer that forgets its
 * bias, its mean or its variance shows.
 */
export function fillWeights(net: nn.Module, seed: string): void {
  for (const [name, tensor] of Object.entries(net.stateDict())) {
    const { shape } = tensor;
    const values = (bound: number) => uniform(`${seed}/${name}`, shape, bound);
    if (name.endsWith("running_var")) tensor.assign(values(0.5).map((v) => 1 + v));
    else if (shape.length === 1 && name.endsWith("weight")) tensor.assign(values(0.25).map((v) => 1 + v));
    else tensor.assign(values(shape.length === 1 ? 0.25 : heBound(shape)));
  }
}
