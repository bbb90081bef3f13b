import { type RulesOf, TensorError } from "@fcn/tensor";
import { rules, showValue } from "@fcn/tensor/internal";

/** The options of `models.create`. A model refuses options that it has no use for. */
export interface ModelOptions {
  /** Number of classes, background included. */
  numClasses: number;
  /** Seed of the initial values and of dropout. Default 0. The same seed gives the same net. */
  seed?: number;
  /** Channels of the image. Default 3. */
  inChannels?: number;
  /** Factor on the channels of every backbone layer: max(1, round(c * m)). Default 1. */
  widthMultiplier?: number;
  /** Padding of the first convolution, in pixels. */
  padding?: number;
  /**
   * Adds batch norm, with keys `conv1_1_bn.*`, after every backbone convolution, for training without pretrained
   * weights.
   */
  batchNorm?: boolean;
  /** Share of values dropped after fc6 and fc7, from 0 to below 1. */
  dropout?: number;
  /** Whether upsampling layers stay bilinear (`fixed`) or are trained from there (`learned`). */
  deconv?: "fixed" | "learned";
  /** Uses TensorFlow's padding in the backbone instead of PyTorch's, for weights trained there. */
  samePadding?: boolean;
  /** Epsilon that batch norm adds to the variance. */
  bnEps?: number;
  /** The stage at which the backbone ends. */
  lastStage?: string;
  /** Adds a second head on features of an earlier stage, for training. */
  auxLoss?: boolean;
  /** Uses upsampling weights [C, C, k, k] instead of the channel-wise [C, 1, k, k]. */
  dense?: boolean;
  /** How upsampled scores and those of a skip are joined. The paper found that the maximum learns badly. */
  fusion?: "sum" | "max";
  /**
   * Stride of the deepest features: 32, 16 or 8. Pools that would exceed it keep the resolution, and skips that are not
   * finer are dropped. Small images then need more `padding`.
   */
  backboneStride?: number;
  /**
   * Whether the layers after a pool that keeps the resolution dilate (à trous), so that they see what they were trained
   * on.
   */
  dilate?: boolean;
  /** Number of classes of the second, geometric head. */
  geometricClasses?: number;
}

type OptionName = keyof ModelOptions;
/** Options of a model with every default filled in. */
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
 * Fills in `defaults` and checks every option. Refuses options other than `numClasses`, `seed`, `inChannels` and those
 * in `defaults`. `own` narrows the values that the model takes.
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
