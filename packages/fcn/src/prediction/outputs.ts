import { noGrad, type Tensor } from "@fcn/tensor";
import { repeated } from "@fcn/tensor/internal";
import type { NetOutput } from "../models/graph/net.js";
import { deviceOf, runsGraphOnly, type SegmentationNet } from "../models/segmentationNet.js";

/** Predictions of one net as they are recorded. */
interface Recorded {
  readonly forward: (x: Tensor) => Promise<NetOutput>;
  /** Dtypes and shapes whose kernels are compiled. */
  readonly warm: Set<string>;
}

const recorded = new WeakMap<SegmentationNet, Recorded>();

function recordedOf(model: SegmentationNet): Recorded {
  const known = recorded.get(model);
  if (known) return known;
  const forward = repeated(deviceOf(model), (x: Tensor) => forwardOf(model, x), { lends: true });
  const made = { forward, warm: new Set<string>() };
  recorded.set(model, made);
  return made;
}

const forwardOf = (model: SegmentationNet, x: Tensor): NetOutput => noGrad(() => model.forward(x));

/**
 * What a net in evaluation mode gives for an input, without gradients. The first time for a shape, all kernels are
 * compiled at once. The input is disposed, and the result is to be before the next call, which is slower otherwise.
 */
export async function outputsOf(model: SegmentationNet, x: Tensor): Promise<NetOutput> {
  if (!runsGraphOnly(model)) return forwardOf(model, x);
  const { forward, warm } = recordedOf(model);
  const shape = `${x.dtype} ${x.shape}`;
  if (!warm.has(shape)) await x.device.warmUp(() => forwardOf(model, x));
  warm.add(shape);
  return forward(x);
}
