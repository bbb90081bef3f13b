import type { GraphBuilder } from "../graph/builder.js";
import type { Graph } from "../graph/spec.js";
import { scoreLayer } from "./skip.js";

/** Prefix of the pyramid's node names. */
const FPN = "fpn";

const resizeTo = (mode: "nearest" | "bilinear") => ({ kind: "resize", mode }) as const;

/**
 * Appends torchvision.ops.FeaturePyramidNetwork (Lin et al. 2017, section 3) on `stages`, finest first. Each stage gets
 * a 1x1 lateral. From the coarsest down, each level adds the level above, resized to its own size by nearest neighbour.
 * Then every level gets a 3x3 convolution. Returns the levels, finest first, each of `channels` channels. Keys are
 * `fpn.inner_blocks.N.0.*` and `fpn.layer_blocks.N.0.*`.
 */
export function featurePyramid(builder: GraphBuilder, stages: readonly string[], channels: number): string[] {
  const conv = (name: string, kernelSize: number, input: string): string => {
    const window = { kernelSize, padding: (kernelSize - 1) / 2 };
    return builder.add(name, { kind: "conv", outChannels: channels, ...window, init: "lecun" }, input);
  };
  const laterals = stages.map((stage, i) => conv(`${FPN}.inner_blocks.${i}.0`, 1, stage));
  const merged = [...laterals];
  for (let i = merged.length - 2; i >= 0; i--) {
    const lateral = laterals[i] as string;
    const up = builder.add(`${lateral}.up`, resizeTo("nearest"), merged[i + 1] as string, lateral);
    merged[i] = builder.add(`${lateral}.sum`, { kind: "add" }, lateral, up);
  }
  return merged.map((level, i) => conv(`${FPN}.layer_blocks.${i}.0`, 3, level));
}

/** The names without the position in a block, as in torchvision before 0.14 and its published detection weights. */
export function pyramidAliases(levels: number): NonNullable<Graph["aliases"]> {
  const names = ["inner_blocks", "layer_blocks"].flatMap((blocks) =>
    Array.from({ length: levels }, (_, i) => `${FPN}.${blocks}.${i}`),
  );
  return Object.fromEntries(names.map((name) => [name, `${name}.0`]));
}

/**
 * Appends the scores of a pyramid: all levels, resized bilinearly to the finest and summed, then a 1x1 convolution
 * `score` and bilinear upsampling to the image `data`.
 */
export function pyramidScores(
  builder: GraphBuilder,
  data: string,
  levels: readonly string[],
  numClasses: number,
): string {
  const [finest = "", ...coarser] = levels;
  const resized = coarser.map((level) => builder.add(`${level}.up`, resizeTo("bilinear"), level, finest));
  const merged = builder.add("merged", { kind: "add" }, finest, ...resized);
  const score = builder.add("score", scoreLayer(numClasses), merged);
  return builder.add("upscore", resizeTo("bilinear"), score, data);
}

/** Channels per group of the group norm: 32 groups for 128 channels. */
const GROUP = 4;

/**
 * Appends the semantic branch of Panoptic FPN (Kirillov et al. 2019, section 3.1). Each level goes through 3x3
 * convolution, group norm, ReLU and bilinear upsampling until it is as fine as the first, which has no upsampling.
 * Their sum goes through a 1x1 convolution and bilinear upsampling to the image `data`. `channels` is a multiple of 4.
 * Keys are those of detectron2's SemSegFPNHead: `sem_seg_head.p5.0.weight`, `sem_seg_head.p5.0.norm.weight`,
 * `sem_seg_head.predictor.weight`.
 */
export function semanticBranch(
  builder: GraphBuilder,
  data: string,
  levels: readonly string[],
  { channels, numClasses }: { readonly channels: number; readonly numClasses: number },
): string {
  const convolve = (name: string, input: string): string => {
    const layer = {
      kind: "conv",
      outChannels: channels,
      kernelSize: 3,
      padding: 1,
      bias: false,
      init: "kaiming",
    } as const;
    const conv = builder.add(name, layer, input);
    const norm = builder.add(`${name}.norm`, { kind: "groupNorm", groups: channels / GROUP }, conv);
    return builder.add(`${name}.relu`, { kind: "relu" }, norm);
  };
  const ends = levels.map((level, i) => {
    const name = `sem_seg_head.p${i + 2}`;
    if (i === 0) return convolve(`${name}.0`, level);
    return levels.slice(0, i).reduceRight((last, finer, at) => {
      const step = 2 * (i - 1 - at);
      const active = convolve(`${name}.${step}`, last);
      return builder.add(`${name}.${step + 1}`, resizeTo("bilinear"), active, finer);
    }, level);
  });
  const sum = builder.add("sem_seg_head.sum", { kind: "add" }, ...ends);
  const score = builder.add("sem_seg_head.predictor", scoreLayer(numClasses), sum);
  return builder.add("upscore", resizeTo("bilinear"), score, data);
}

/**
 * Appends a prediction on each of several maps with no way down between them, as SSD has it (Liu et al. 2016): 3x3
 * convolution, batch norm, ReLU and 1x1 scores by themselves on every level, finest first. The scores are resized
 * bilinearly to the finest level, summed, and resized to the image `data`. Keys are `heads.N.0.weight` (convolution),
 * `heads.N.1.*` (norm) and `heads.N.3.*` (scores), those of an nn.Sequential a level.
 */
export function mapHierarchy(
  builder: GraphBuilder,
  data: string,
  levels: readonly string[],
  { channels, numClasses }: { readonly channels: number; readonly numClasses: number },
): string {
  const window = { kernelSize: 3, padding: 1, bias: false, init: "kaiming" } as const;
  const scores = levels.map((level, i) => {
    const name = `heads.${i}`;
    const conv = builder.add(`${name}.0`, { kind: "conv", outChannels: channels, ...window }, level);
    const norm = builder.add(`${name}.1`, { kind: "batchNorm" }, conv);
    const active = builder.add(`${name}.2`, { kind: "relu" }, norm);
    return builder.add(`${name}.3`, scoreLayer(numClasses), active);
  });
  const [finest = "", ...coarser] = scores;
  const resized = coarser.map((score) => builder.add(`${score}.up`, resizeTo("bilinear"), score, finest));
  const sum = builder.add("score", { kind: "add" }, finest, ...resized);
  return builder.add("upscore", resizeTo("bilinear"), sum, data);
}
