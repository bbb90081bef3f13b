import { type NormGeometry, planNormBackward } from "@fcn/kernels";
import { invalidShape, show } from "../errors.js";
import { activationOrder } from "../layout.js";
import type { Backward } from "../tape.js";
import { inOrder, Tensor } from "../tensor.js";
import { checkFloat, given } from "./operands.js";

/** @internal Throws unless each given vector is [C] for x [N, C, ...]. */
export function checkNormVectors(op: string, x: Tensor, vectors: Record<string, Tensor | undefined>): void {
  for (const [name, vector] of Object.entries(vectors)) {
    if (!vector) continue;
    checkFloat(op, name, vector);
    if (vector.shape.length === 1 && vector.shape[0] === x.shape[1]) continue;
    throw invalidShape(
      `${op}: ${name} has shape ${show(vector.shape)}, expected [${x.shape[1]}] for x ${show(x.shape)}`,
      `pass one ${name} a channel`,
    );
  }
}

/**
 * @internal The backward pass of batch and group normalisation, for a tape that keeps x, the statistics and the weight.
 */
export function normGradient(op: string, g: NormGeometry, shape: readonly number[]): Backward {
  const order = activationOrder(shape.length);
  return (grad, [x, stats, weight], [input = false, weightNeeded = false, biasNeeded = false]) => {
    const { runtime } = grad;
    const parameters = weightNeeded || biasNeeded;
    using dy = inOrder(grad, order);
    const vector = () => (parameters ? Tensor.empty(runtime, [g.channels], { tracked: false }) : undefined);
    const [dweight, dbias] = [vector(), vector()];
    const dx = input ? Tensor.empty(runtime, shape, { order, tracked: false }) : undefined;
    const plan = planNormBackward({ ...g, input, parameters }, runtime.capabilities);
    runtime.run(`${op} backward`, plan, given({ x, dy, stats, weight, dweight, dbias, dx }));
    if (!weightNeeded) dweight?.dispose();
    if (!biasNeeded) dbias?.dispose();
    return [dx, weightNeeded ? dweight : undefined, biasNeeded ? dbias : undefined];
  };
}
