import { type NormOptions, planNorm, planNormBackward } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import { invalidShape, show } from "../plain/errors.js";
import { activationOrder } from "../plain/layout.js";
import { checkResidual, type Epilogue } from "./epilogue.js";
import { checkReal, checkVectors } from "./operands.js";

/** What a normalisation reads beside x, each [C]. */
interface Vectors {
  readonly weight?: Tensor | undefined;
  readonly bias?: Tensor | undefined;
  readonly runningMean?: Tensor | undefined;
  readonly runningVar?: Tensor | undefined;
}

/** @internal Throws unless x is float32 or float16 [N, C, ...] and each given vector float32 [C]. Returns C. */
export function checkNorm(op: string, x: Tensor, { weight, bias, runningMean, runningVar }: Vectors): number {
  checkReal(op, "x", x);
  const [, channels] = x.shape;
  if (channels === undefined) {
    throw invalidShape(`${op}: x has shape ${show(x.shape)}, expected [N, C, ...]`, "reshape x to [N, C, H, W]");
  }
  checkVectors(op, { weight, bias, runningMean, runningVar }, channels, `x ${show(x.shape)}`);
  return channels;
}

/** @internal Batch or group normalisation and what follows it, with its gradient. */
export function normalise(
  op: string,
  x: Tensor,
  { weight, bias, runningMean, runningVar }: Vectors,
  options: Omit<NormOptions, "hasWeight" | "hasBias" | "hasResidual" | "activation">,
  { residual, activation }: Epilogue = {},
): Tensor {
  checkResidual(op, residual, x.shape);
  const o = {
    ...options,
    hasWeight: weight !== undefined,
    hasBias: bias !== undefined,
    hasResidual: residual !== undefined,
    activation,
  };
  const { runtime, shape, dtype } = x;
  const order = activationOrder(shape.length);
  using xs = inOrder(x, order);
  using stats = Tensor.empty(runtime, [2, o.images, o.groups], { tracked: false });
  using rs = residual && inOrder(residual, order);
  const y = Tensor.empty(runtime, shape, { dtype, order });
  runtime.run(op, planned(planNorm, o), { x: xs, y, stats, weight, bias, runningMean, runningVar, residual: rs });
  const kept = [xs, stats, weight, activation && y];
  return record(op, y, [x, weight, bias, residual], kept, (grad, saved, needs) => {
    const [savedX, savedStats, savedWeight, savedY] = saved;
    const [input = false, ...wanted] = needs;
    const residual = wanted.pop() ?? false;
    // Without an activation, the gradient of the residual is that of the result.
    const masked = residual && activation !== undefined;
    if (residual && !masked && !input && !wanted.some(Boolean)) return [undefined, undefined, undefined, grad.alias()];
    const parameters = wanted.some(Boolean);
    using dy = inOrder(grad, order);
    const vector = () => (parameters ? Tensor.empty(runtime, [o.channels], { tracked: false }) : undefined);
    const [dweight, dbias] = [vector(), vector()];
    const image = (isWanted: boolean) =>
      isWanted ? Tensor.empty(runtime, shape, { dtype, order, tracked: false }) : undefined;
    const [dx, dresidual] = [image(input), image(masked)];
    const plan = planned(planNormBackward, { ...o, input, parameters, residual: masked });
    const read = { x: savedX, dy, y: savedY, stats: savedStats, weight: savedWeight };
    const operands = { ...read, dweight, dbias, dx, dresidual };
    runtime.run(`${op} backward`, plan, operands);
    for (const [i, gradient] of [dweight, dbias].entries()) if (!wanted[i]) gradient?.dispose();
    const ofResidual = residual && !masked ? grad.alias() : dresidual;
    return [dx, wanted[0] ? dweight : undefined, wanted[1] ? dbias : undefined, ofResidual];
  });
}
