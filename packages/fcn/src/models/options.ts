import { TensorError } from "@fcn/tensor";
import { showValue } from "@fcn/tensor/internal";

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
  /** Adds a second head on the features before the last stage, for training. */
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

export type OptionName = keyof ModelOptions;
/** Options of a model with every default filled in. */
export type Resolved = Required<ModelOptions>;

/** What an option's value must be. */
export interface Rule {
  readonly holds: (value: unknown) => boolean;
  readonly text: string;
}

export const integerFrom = (low: number): Rule => ({
  holds: (value) => Number.isSafeInteger(value) && (value as number) >= low,
  text: `an integer of at least ${low}`,
});
export const oneOf = (...values: readonly (string | number)[]): Rule => ({
  holds: (value) => values.includes(value as string | number),
  text: values.map((value) => JSON.stringify(value)).join(" or "),
});
export const boolean: Rule = { holds: (value) => typeof value === "boolean", text: "true or false" };
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const positive: Rule = { holds: (value) => isNumber(value) && value > 0, text: "a number above 0" };

const RULES: Readonly<Record<OptionName, Rule>> = {
  numClasses: integerFrom(1),
  seed: integerFrom(0),
  inChannels: integerFrom(1),
  widthMultiplier: positive,
  padding: integerFrom(0),
  batchNorm: boolean,
  dropout: { holds: (value) => isNumber(value) && value >= 0 && value < 1, text: "a number from 0 to below 1" },
  deconv: oneOf("fixed", "learned"),
  dense: boolean,
  samePadding: boolean,
  bnEps: positive,
  lastStage: { holds: (value) => typeof value === "string", text: "the name of a stage" },
  auxLoss: boolean,
  fusion: oneOf("sum", "max"),
  backboneStride: oneOf(32, 16, 8),
  dilate: boolean,
  geometricClasses: integerFrom(1),
};

/**
 * Fills in `defaults` and checks every option. Refuses options other than `numClasses`, `seed`, `inChannels` and those
 * in `defaults`. `rules` narrows the values that the model takes.
 */
export function resolveOptions(
  model: string,
  options: ModelOptions,
  defaults: Partial<Resolved>,
  rules: Partial<Record<OptionName, Rule>> = {},
): Resolved {
  const merged: Record<string, unknown> = { seed: 0, inChannels: 3, ...defaults };
  const known = ["numClasses", ...Object.keys(merged)];
  for (const [name, value] of Object.entries(options ?? {})) {
    if (!known.includes(name))
      throw badOption(model, name, `option ${name} is unknown`, `use some of: ${known.join(", ")}`);
    if (value !== undefined) merged[name] = value;
  }
  for (const name of known as OptionName[]) {
    const { holds, text } = rules[name] ?? RULES[name];
    if (!holds(merged[name]))
      throw badOption(
        model,
        name,
        `${name} is ${showValue(merged[name])}, but must be ${text}`,
        `pass ${name}: ${text}`,
      );
  }
  return merged as unknown as Resolved;
}

function badOption(model: string, option: string, problem: string, fix: string): TensorError {
  const message = `models.create ${model}: ${problem}`;
  return new TensorError({ code: "invalid-argument", message, fix, details: { option } });
}
