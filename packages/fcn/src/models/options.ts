import { TensorError } from "@fcn/tensor";
import { type RulesOf, rules, showValue } from "@fcn/tensor/internal";

/** What `models.create` takes; a model that has no use for an option refuses it. */
export interface ModelOptions {
  /** Classes, background included. */
  numClasses: number;
  /** Seed of the initial values and of dropout; 0 unless given. The same seed gives the same net. */
  seed?: number;
  /** Channels of the image; 3 unless given. */
  inChannels?: number;
  /** Factor on the channels of every backbone layer: max(1, round(c * m)). 1 unless given. */
  widthMultiplier?: number;
  /** Padding of the first convolution. */
  padding?: number;
  /**
   * Batch norm after every backbone convolution, for training without pretrained weights. Its keys are `conv1_1_bn.*`.
   */
  batchNorm?: boolean;
  /** Share of values dropped after fc6 and fc7, 0 to below 1. */
  dropout?: number;
  /** Whether the upsampling layers stay bilinear or are learned from there. */
  deconv?: "fixed" | "learned";
  /** TensorFlow's padding in the backbone in place of PyTorch's, for weights that were trained there. */
  samePadding?: boolean;
  /** What batch norm adds to the variance. */
  bnEps?: number;
  /** The stage of the backbone at which the backbone ends. */
  lastStage?: string;
  /** A second head on the features before the last stage, for training. */
  auxLoss?: boolean;
  /** Upsampling weights [C, C, k, k] in place of the channel-wise [C, 1, k, k]. */
  dense?: boolean;
  /** How upsampled scores and those of a skip are joined; the paper found the maximum to learn badly. */
  fusion?: "sum" | "max";
  /**
   * Stride of the deepest features, 32, 16 or 8: pools that would pass it keep the resolution. Skips that are not finer
   * fall away. Small images need more `padding` then.
   */
  backboneStride?: number;
  /**
   * Whether the layers after a pool that keeps the resolution dilate (à trous), so that they see what they were trained
   * on.
   */
  dilate?: boolean;
  /** Classes of the second, geometric head. */
  geometricClasses?: number;
}

export type OptionName = keyof ModelOptions;
export type Resolved = Required<ModelOptions>;

const { boolean, from, oneOf, positive, whole } = rules;

const RULES: RulesOf<ModelOptions> = {
  numClasses: whole(1),
  seed: whole(0),
  inChannels: whole(1),
  widthMultiplier: positive,
  padding: whole(0),
  batchNorm: boolean,
  dropout: from(0, 1),
  deconv: oneOf("fixed", "learned"),
  dense: boolean,
  samePadding: boolean,
  bnEps: positive,
  lastStage: rules.rule("the name of a stage", (value) => typeof value === "string"),
  auxLoss: boolean,
  fusion: oneOf("sum", "max"),
  backboneStride: oneOf(32, 16, 8),
  dilate: boolean,
  geometricClasses: whole(1),
};

/**
 * Fills in `defaults` and checks every option. Options that are neither in `defaults` nor `numClasses`, `seed`,
 * `inChannels` are refused. `own` narrows what the model takes for some of them.
 */
export function resolveOptions(
  model: string,
  options: ModelOptions,
  defaults: Partial<Resolved>,
  own: Partial<RulesOf<ModelOptions>> = {},
): Resolved {
  const merged: Record<string, unknown> = { seed: 0, inChannels: 3, ...defaults };
  const known = ["numClasses", ...Object.keys(merged)];
  for (const [name, value] of Object.entries(options ?? {})) {
    if (!known.includes(name))
      throw badOption(model, name, `option ${name} is unknown`, `use some of: ${known.join(", ")}`);
    if (value !== undefined) merged[name] = value;
  }
  for (const name of known as OptionName[]) {
    const { holds, what } = own[name] ?? RULES[name];
    if (!holds(merged[name]))
      throw badOption(
        model,
        name,
        `${name} is ${showValue(merged[name])}, but must be ${what}`,
        `pass ${name}: ${what}`,
      );
  }
  return merged as unknown as Resolved;
}

function badOption(model: string, option: string, problem: string, fix: string): TensorError {
  const message = `models.create ${model}: ${problem}`;
  return new TensorError({ code: "invalid-argument", message, fix, details: { option } });
}
