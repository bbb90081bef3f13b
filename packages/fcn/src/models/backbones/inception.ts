import type { GraphBuilder } from "../graph/builder.js";
import type { LayerOf } from "../graph/kinds/index.js";
import type { Backbone } from "./backbone.js";
import { scaleWidth } from "./convNorm.js";
import { type AppendConv, basicConv, type ConvStep, inceptionBlock, type Step } from "./inceptionBlocks.js";

/** Options of {@link inceptionBackbone}. */
export interface InceptionSpec {
  /** Prepended to every name, such as `backbone.`. */
  readonly prefix: string;
  readonly widthMultiplier: number;
  /** Padding of the first convolution; 0 in the classifier. */
  readonly padding: number;
  /** Whether the average pools count their padding. torchvision's do; TensorFlow's do not. */
  readonly countIncludePad: boolean;
  /** The last stage to append. */
  readonly lastStage: string;
}

const STRIDED = { stride: 2, padding: 0 } as const;
const POOL = { kind: "maxPool", kernelSize: 3, stride: 2 } as const;
const TALL = [7, 1] as const;
const FLAT = [1, 7] as const;

type Branches = readonly (readonly Step[])[];

const DOUBLE: readonly Step[] = [
  [".branch3x3dbl_1", 64, 1],
  [".branch3x3dbl_2", 96, 3],
];
const split = (name: string): Step => ({
  split: [
    [`${name}a`, 384, [1, 3]],
    [`${name}b`, 384, [3, 1]],
  ],
});

/** Figures 5, 6 and 7 of Szegedy et al. 2015 and the two grid reductions: torchvision's classes InceptionA to E. */
const a = (pool: Step, channels: number): Branches => [
  [[".branch1x1", 64, 1]],
  [
    [".branch5x5_1", 48, 1],
    [".branch5x5_2", 64, 5],
  ],
  [...DOUBLE, [".branch3x3dbl_3", 96, 3]],
  [pool, [".branch_pool", channels, 1]],
];
const b: Branches = [[[".branch3x3", 384, 3, STRIDED]], [...DOUBLE, [".branch3x3dbl_3", 96, 3, STRIDED]], [POOL]];
const c = (pool: Step, narrow: number): Branches => [
  [[".branch1x1", 192, 1]],
  [
    [".branch7x7_1", narrow, 1],
    [".branch7x7_2", narrow, FLAT],
    [".branch7x7_3", 192, TALL],
  ],
  [
    [".branch7x7dbl_1", narrow, 1],
    [".branch7x7dbl_2", narrow, TALL],
    [".branch7x7dbl_3", narrow, FLAT],
    [".branch7x7dbl_4", narrow, TALL],
    [".branch7x7dbl_5", 192, FLAT],
  ],
  [pool, [".branch_pool", 192, 1]],
];
const d: Branches = [
  [
    [".branch3x3_1", 192, 1],
    [".branch3x3_2", 320, 3, STRIDED],
  ],
  [
    [".branch7x7x3_1", 192, 1],
    [".branch7x7x3_2", 192, FLAT],
    [".branch7x7x3_3", 192, TALL],
    [".branch7x7x3_4", 192, 3, STRIDED],
  ],
  [POOL],
];
const e = (pool: Step): Branches => [
  [[".branch1x1", 320, 1]],
  [[".branch3x3_1", 384, 1], split(".branch3x3_2")],
  [[".branch3x3dbl_1", 448, 1], [".branch3x3dbl_2", 384, 3], split(".branch3x3dbl_3")],
  [pool, [".branch_pool", 192, 1]],
];

/** A named convolution, pool or block of branches. */
type Row = readonly [name: string, layer: ConvStep | LayerOf<"maxPool"> | Branches];

const rows = (pool: Step, padding: number): readonly Row[] => [
  ["Conv2d_1a_3x3", ["", 32, 3, { stride: 2, padding }]],
  ["Conv2d_2a_3x3", ["", 32, 3, { padding: 0 }]],
  ["Conv2d_2b_3x3", ["", 64, 3]],
  ["maxpool1", POOL],
  ["Conv2d_3b_1x1", ["", 80, 1]],
  ["Conv2d_4a_3x3", ["", 192, 3, { padding: 0 }]],
  ["maxpool2", POOL],
  ["Mixed_5b", a(pool, 32)],
  ["Mixed_5c", a(pool, 64)],
  ["Mixed_5d", a(pool, 64)],
  ["Mixed_6a", b],
  ["Mixed_6b", c(pool, 128)],
  ["Mixed_6c", c(pool, 160)],
  ["Mixed_6d", c(pool, 160)],
  ["Mixed_6e", c(pool, 192)],
  ["Mixed_7a", d],
  ["Mixed_7b", e(pool)],
  ["Mixed_7c", e(pool)],
];

/** Blocks at which the net may end: those before a strided layer, and the last. */
export const INCEPTION_STAGES = ["Conv2d_4a_3x3", "Mixed_5d", "Mixed_6e", "Mixed_7c"] as const;

/**
 * Appends InceptionV3 without its heads, under torchvision's names. Stages Conv2d_4a_3x3, Mixed_5d, Mixed_6e and
 * Mixed_7c have strides 4, 8, 16 and 32. Its strided layers have no padding: with padding 37 in the first one, cell i
 * of stride s lies on pixel s i - (32 - s).
 */
export function inceptionBackbone(builder: GraphBuilder, input: string, spec: InceptionSpec): Backbone {
  // torchvision truncates the distribution at 20 deviations, which changes nothing.
  const conv = basicConv(0.1);
  const append: AppendConv = (graph, name, [own, channels, ...window], from) =>
    conv(graph, name, [own, scaleWidth(channels, spec.widthMultiplier), ...window], from);
  const pool: Step = { kind: "avgPool", kernelSize: 3, stride: 1, padding: 1, countIncludePad: spec.countIncludePad };
  const stages: Record<string, string> = {};
  let last = input;
  for (const [name, layer] of rows(pool, spec.padding)) {
    const node = `${spec.prefix}${name}`;
    if ("kind" in layer) last = builder.add(node, layer, last);
    else if (typeof layer[0] === "string") last = append(builder, node, layer as ConvStep, last);
    else last = inceptionBlock(builder, node, layer as Branches, append, last);
    if ((INCEPTION_STAGES as readonly string[]).includes(name)) stages[name] = last;
    if (name === spec.lastStage) break;
  }
  return { stages, top: last };
}
