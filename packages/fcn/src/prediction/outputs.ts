import { type Captured, noGrad, type Tensor } from "@fcn/tensor";
import { repeated } from "@fcn/tensor/internal";
import type { GraphNet } from "../models/graph/net.js";
import type { HeadScores } from "../models/graph/tails.js";
import { deviceOf, lookAt, runsGraphOnly, type SegmentationNet, scoresOf } from "../models/segmentationNet.js";

type Values = Record<string, Tensor>;

/** Predictions of one net as they are recorded. */
interface Recorded {
  readonly forward: Captured<readonly [Tensor], Values>;
  /** Dtypes and shapes whose kernels are compiled. */
  readonly warm: Set<string>;
  /** What is recorded besides the shapes. */
  readonly state: string;
}

/** What gives logits, and what gives scores as they are. */
const recorded = { logits: new WeakMap<SegmentationNet, Recorded>(), scores: new WeakMap<SegmentationNet, Recorded>() };

function recordedOf(model: SegmentationNet, asLogits: boolean, state: string): Recorded {
  const kept = recorded[asLogits ? "logits" : "scores"];
  const known = kept.get(model);
  if (known?.state === state) return known;
  known?.forward.dispose();
  const forward = repeated(deviceOf(model), (x: Tensor) => valuesOf(model, x, asLogits), { lends: true });
  const made = { forward, warm: new Set<string>(), state };
  kept.set(model, made);
  return made;
}

const valuesOf = (model: SegmentationNet, x: Tensor, asLogits: boolean): Values =>
  noGrad(() => {
    const scores = Object.entries(scoresOf(model, x, asLogits));
    return Object.fromEntries(scores.map(([head, { values }]) => [head, values]));
  });

/**
 * What a net in evaluation mode gives for an input by head, without gradients: logits if `asLogits`, otherwise scores
 * that may still have to be upsampled. The first time for a shape, all kernels are compiled at once. The input is
 * disposed, and the result is to be before the next call, which is slower otherwise.
 */
export async function outputsOf(
  model: SegmentationNet,
  x: Tensor,
  asLogits: boolean,
): Promise<Record<string, HeadScores>> {
  if (!runsGraphOnly(model)) return noGrad(() => scoresOf(model, x, true));
  const { shape } = x;
  const fixed = asLogits ? [] : await lookAt(model);
  const { forward, warm } = recordedOf(model, asLogits, fixed.join());
  const key = `${x.dtype} ${shape}`;
  if (!warm.has(key)) await x.device.warmUp(() => valuesOf(model, x, asLogits));
  warm.add(key);
  const rules = asLogits ? {} : (model as GraphNet).upsamplings(shape);
  const values = await forward(x);
  return Object.fromEntries(
    Object.entries(values).map(([head, own]) => [head, { values: own, upsampling: rules[head] }]),
  );
}
