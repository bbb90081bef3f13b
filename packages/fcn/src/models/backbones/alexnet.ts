import type { GraphBuilder } from "../graph/builder.js";
import type { LayerOf } from "../graph/kinds/index.js";
import type { Backbone } from "./backbone.js";
import { scaleWidth } from "./convNorm.js";
import { caffeNameAfter, type NameAfter, sequentialNameAfter } from "./names.js";

type Conv = Omit<LayerOf<"conv">, "kind">;

/** A convolution, its ReLU and the layers after them. */
interface Row extends Conv {
  /** Prefix of the state-dict keys. */
  readonly name: string;
  /** Name of the stage that ends here; set where a 3x3 max-pool of stride 2 follows. */
  readonly pool?: string;
  /** Whether Caffe's normalisation across channels follows the pool. */
  readonly norm?: boolean;
  readonly dropout?: boolean;
}

/** Options of {@link caffeNetBackbone} and {@link alexNetBackbone}. */
export interface AlexNetSpec {
  /** Padding of the first convolution. */
  readonly padding: number;
  /** Whether the pools keep a last window that overhangs the edge. Caffe's do; torchvision's do not. */
  readonly ceilMode: boolean;
  /** Share of values dropped after each classifier layer; 0 leaves the dropout layers out. */
  readonly dropout: number;
  readonly widthMultiplier: number;
}

/** CaffeNet: AlexNet with the pools before the normalisation. Layers have Caffe's names. */
const CAFFENET: readonly Row[] = [
  { name: "conv1", outChannels: 96, kernelSize: 11, stride: 4, pool: "pool1", norm: true },
  { name: "conv2", outChannels: 256, kernelSize: 5, padding: 2, groups: 2, pool: "pool2", norm: true },
  { name: "conv3", outChannels: 384, kernelSize: 3, padding: 1 },
  { name: "conv4", outChannels: 384, kernelSize: 3, padding: 1, groups: 2 },
  { name: "conv5", outChannels: 256, kernelSize: 3, padding: 1, groups: 2, pool: "pool5" },
  { name: "fc6", outChannels: 4096, kernelSize: 6, dropout: true },
  { name: "fc7", outChannels: 4096, kernelSize: 1, dropout: true },
];

/**
 * torchvision's AlexNet ("One weird trick", Krizhevsky 2014). Its linear layers become convolutions of the same names.
 */
const TORCHVISION: readonly Row[] = [
  { name: "features.0", outChannels: 64, kernelSize: 11, stride: 4, pool: "pool1" },
  { name: "features.3", outChannels: 192, kernelSize: 5, padding: 2, pool: "pool2" },
  { name: "features.6", outChannels: 384, kernelSize: 3, padding: 1 },
  { name: "features.8", outChannels: 256, kernelSize: 3, padding: 1 },
  { name: "features.10", outChannels: 256, kernelSize: 3, padding: 1, pool: "pool5" },
  { name: "classifier.1", outChannels: 4096, kernelSize: 6, dropout: true },
  { name: "classifier.4", outChannels: 4096, kernelSize: 1, dropout: true },
];

/** Appends CaffeNet up to fc7, with stages pool1, pool2 and pool5 at strides 8, 16 and 32. */
export const caffeNetBackbone = (builder: GraphBuilder, input: string, spec: AlexNetSpec): Backbone =>
  append(builder, input, CAFFENET, caffeNameAfter, spec);

/**
 * Appends torchvision's AlexNet up to the last hidden layer, with `prefix` before every name. Stages pool1, pool2 and
 * pool5 have strides 8, 16 and 32; with `classifier` false, pool5 is the top.
 */
export function alexNetBackbone(
  builder: GraphBuilder,
  input: string,
  spec: AlexNetSpec & { readonly prefix: string; readonly classifier?: boolean },
): Backbone {
  const rows = TORCHVISION.filter(({ name }) => spec.classifier !== false || name.startsWith("features"));
  const named = rows.map((row) => ({ ...row, name: `${spec.prefix}${row.name}` }));
  return append(builder, input, named, sequentialNameAfter, spec);
}

function append(
  builder: GraphBuilder,
  input: string,
  rows: readonly Row[],
  after: NameAfter,
  spec: AlexNetSpec,
): Backbone {
  // Every group count divides `groups`, so widths rounded to a multiple of it stay divisible in a narrowed net.
  const groups = Math.max(...rows.map((row) => row.groups ?? 1));
  const stages: Record<string, string> = {};
  let last = input;
  rows.forEach(({ name, pool, norm = false, dropout = false, ...row }, i) => {
    const outChannels = groups * scaleWidth(row.outChannels / groups, spec.widthMultiplier);
    const first = i === 0 ? { padding: spec.padding } : {};
    last = builder.add(name, { kind: "conv", ...row, ...first, outChannels }, last);
    last = builder.add(after(name, "relu"), { kind: "relu" }, last);
    if (pool !== undefined) {
      const layer = { kind: "maxPool", kernelSize: 3, stride: 2, ceilMode: spec.ceilMode } as const;
      last = builder.add(after(name, "pool"), layer, last);
    }
    if (norm) last = builder.add(after(name, "norm"), { kind: "lrn", size: 5, alpha: 1e-4, beta: 0.75 }, last);
    if (pool !== undefined) stages[pool] = last;
    if (dropout && spec.dropout > 0)
      last = builder.add(after(name, "drop"), { kind: "dropout", p: spec.dropout }, last);
  });
  return { stages, top: last };
}
