import { convNorm, scaleWidth } from "../backbones/convNorm.js";
import type { GraphBuilder } from "../graph/builder.js";

/** Options of {@link liteAsppHead}. */
export interface LiteAsppOptions {
  readonly numClasses: number;
  /** Factor on the 128 channels between the features and the scores. */
  readonly widthMultiplier: number;
}

/**
 * Appends torchvision.models.segmentation.lraspp.LRASPPHead (Howard et al. 2019, section 6.4) as `name`.*: the deep
 * features `high`, gated by their average over the image, are brought to the resolution of `low` and scored, and so is
 * `low`. Returns the name of the sum of both scores.
 */
export function liteAsppHead(
  builder: GraphBuilder,
  name: string,
  { low, high }: { readonly low: string; readonly high: string },
  { numClasses, widthMultiplier }: LiteAsppOptions,
): string {
  const channels = scaleWidth(128, widthMultiplier);
  const names = { conv: `${name}.cbr.0`, norm: `${name}.cbr.1`, activation: `${name}.cbr.2` };
  const layer = { channels, kernelSize: 1, activation: "relu", init: "default" } as const;
  const features = convNorm(builder, names, layer, high);
  const pooled = builder.add(`${name}.scale.0`, { kind: "globalPool" }, high);
  const squeeze = { kind: "conv", outChannels: channels, kernelSize: 1, bias: false } as const;
  const factors = builder.add(`${name}.scale.2`, { kind: "sigmoid" }, builder.add(`${name}.scale.1`, squeeze, pooled));
  const gated = builder.add(`${name}.gate`, { kind: "gate" }, features, factors);
  const fine = builder.add(`${name}.resize`, { kind: "resize", mode: "bilinear", alignCorners: false }, gated, low);
  const score = { kind: "conv", outChannels: numClasses, kernelSize: 1 } as const;
  const ofLow = builder.add(`${name}.low_classifier`, score, low);
  return builder.add(`${name}.add`, { kind: "add" }, ofLow, builder.add(`${name}.high_classifier`, score, fine));
}
