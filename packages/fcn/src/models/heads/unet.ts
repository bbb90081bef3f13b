import { convNorm } from "../backbones/convNorm.js";
import type { GraphBuilder } from "../graph/builder.js";
import type { Layer } from "../graph/kinds/index.js";

/** The last layer of a U-Net, which turns features into class scores and starts at zero. */
export const outLayer = (numClasses: number, kernelSize: number): Layer => ({
  kind: "conv",
  outChannels: numClasses,
  kernelSize,
  padding: (kernelSize - 1) / 2,
  init: "zeros",
});

/**
 * Appends the decoder of segmentation_models_pytorch's Unet after `features`, coarsest first. For each further feature:
 * nearest-neighbour upsampling to its size, concatenation with it, and two 3x3 convolutions with batch norm and ReLU.
 * At the end the same follows for the image `data`, without concatenation, and a 3x3 convolution to the classes.
 * `channels` are the widths of these steps. Keys are `decoder.blocks.N.conv1.0.*` and `segmentation_head.0.*`.
 */
export function unetDecoder(
  builder: GraphBuilder,
  data: string,
  features: readonly string[],
  { channels, numClasses }: { readonly channels: readonly number[]; readonly numClasses: number },
): string {
  const [deepest = data, ...skips] = features;
  const end = [...skips, data].reduce((last, target, i) => {
    const name = `decoder.blocks.${i}`;
    const up = builder.add(`${name}.up`, { kind: "resize", mode: "nearest" }, last, target);
    const joined = target === data ? up : builder.add(`${name}.concat`, { kind: "concat" }, up, target);
    return ["conv1", "conv2"].reduce((input, conv) => {
      const names = { conv: `${name}.${conv}.0`, norm: `${name}.${conv}.1`, activation: `${name}.${conv}.2` };
      const layer = { channels: channels[i] as number, kernelSize: 3, padding: 1, activation: "relu" } as const;
      return convNorm(builder, names, layer, input);
    }, joined);
  }, deepest);
  return builder.add("segmentation_head.0", outLayer(numClasses, 3), end);
}
