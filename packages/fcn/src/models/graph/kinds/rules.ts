import { showValue } from "@fcn/tensor/internal";
import type { LayerKind } from "../spec.js";

/** What no net for pictures passes, so that a damaged or hostile file cannot ask for more. */
export const LIMITS = { name: 200, extent: 4096, channels: 2 ** 20 } as const;

/** What the value of a field must be. */
interface Rule {
  readonly holds: (value: unknown) => boolean;
  readonly text: string;
}

interface LayerRule {
  /** Number of inputs: the fewest and the most. */
  readonly inputs: readonly [number, number];
  readonly needed?: Readonly<Record<string, Rule>>;
  readonly optional?: Readonly<Record<string, Rule>>;
}

const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
const isReal = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isPair = (value: unknown, holds: (side: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length === 2 && value.every(holds);

const whole = (least: number, most: number): Rule => ({
  holds: (value) => isWhole(value, least, most),
  text: `a whole number from ${least} to ${most}`,
});
const extent = (least: number): Rule => {
  const isSide = (value: unknown): boolean => isWhole(value, least, LIMITS.extent);
  return {
    holds: (value) => isSide(value) || isPair(value, isSide),
    text: `a whole number from ${least} to ${LIMITS.extent}, or two of them`,
  };
};
const isPadding = (value: unknown): boolean => {
  const isSide = (side: unknown): boolean => isWhole(side, 0, LIMITS.extent);
  return isSide(value) || isPair(value, isSide) || isPair(value, (sides) => isPair(sides, isSide));
};
const paddingText = `whole numbers from 0 to ${LIMITS.extent}`;
const sides: Rule = { holds: isPadding, text: paddingText };
const padding: Rule = { holds: (value) => value === "same" || isPadding(value), text: `${paddingText}, or "same"` };
const flag: Rule = { holds: (value) => typeof value === "boolean", text: "true or false" };
const real: Rule = { holds: isReal, text: "a number" };
const above0: Rule = { holds: (value) => isReal(value) && value > 0, text: "a number above 0" };
const share: Rule = { holds: (value) => isReal(value) && value >= 0 && value <= 1, text: "a number from 0 to 1" };
const part: Rule = { holds: (value) => isReal(value) && value >= 0 && value < 1, text: "a number from 0 to below 1" };
const oneOf = (...names: readonly string[]): Rule => ({
  holds: (value) => names.includes(value as string),
  text: names.map((name) => JSON.stringify(name)).join(" or "),
});

const INITS = ["default", "kaiming", "zeros", "xavier", "lecun"];
const init: Rule = {
  holds: (value) => {
    if (INITS.includes(value as string)) return true;
    if (typeof value !== "object" || value === null) return false;
    const { deviation, ...rest } = value as { deviation?: unknown };
    return isReal(deviation) && deviation >= 0 && Object.keys(rest).length === 0;
  },
  text: `one of ${INITS.join(", ")}, or { deviation }`,
};

const channels = whole(1, LIMITS.channels);
const window = { kernelSize: extent(1) };
const steps = { stride: extent(1), dilation: extent(1), padding };
const ONE = [1, 1] as const;
const SOME = [1, 64] as const;

const RULES: { readonly [K in LayerKind]: LayerRule } = {
  input: { inputs: [0, 0], needed: { channels } },
  conv: {
    inputs: ONE,
    needed: { outChannels: channels, ...window },
    optional: { ...steps, groups: channels, bias: flag, init },
  },
  convTranspose: {
    inputs: ONE,
    needed: { outChannels: channels, ...window },
    optional: {
      ...{ ...steps, padding: extent(0), groups: channels, bias: flag, learned: flag },
      init: oneOf("bilinear", "default"),
    },
  },
  maxPool: { inputs: ONE, needed: window, optional: { ...steps, ceilMode: flag } },
  avgPool: { inputs: ONE, needed: window, optional: { ...steps, ceilMode: flag, countIncludePad: flag } },
  batchNorm: { inputs: ONE, optional: { eps: above0, momentum: share } },
  groupNorm: { inputs: ONE, needed: { groups: channels }, optional: { eps: above0 } },
  lrn: { inputs: ONE, needed: { size: whole(1, LIMITS.extent), alpha: real, beta: real }, optional: { k: real } },
  relu: { inputs: ONE },
  relu6: { inputs: ONE },
  dropout: { inputs: ONE, needed: { p: part }, optional: { channelwise: flag } },
  scale: { inputs: ONE, needed: { factor: real } },
  add: { inputs: SOME },
  max: { inputs: SOME },
  concat: { inputs: SOME },
  slice: { inputs: ONE, needed: { start: whole(0, LIMITS.channels), end: channels } },
  pad: { inputs: ONE, needed: { padding: sides } },
  resize: {
    inputs: [1, 2],
    needed: { mode: oneOf("nearest", "bilinear") },
    optional: { alignCorners: flag, scaleFactor: whole(1, LIMITS.extent) },
  },
  crop: { inputs: [2, 2], optional: { align: oneOf("coordinates", "topLeft") } },
};

/** What is wrong with a layer of any origin, with its number of inputs; undefined where it is one that a graph may have. */
export function layerProblem(layer: Readonly<Record<string, unknown>>, inputs: number): string | undefined {
  const { kind, ...fields } = layer;
  const rule = typeof kind === "string" && Object.hasOwn(RULES, kind) ? RULES[kind as LayerKind] : undefined;
  if (rule === undefined) {
    return `its kind is ${showValue(kind)}, expected one of ${Object.keys(RULES).join(", ")}`;
  }
  const [fewest, most] = rule.inputs;
  if (inputs < fewest || inputs > most) {
    return `a ${kind} has ${inputs} inputs, expected ${fewest === most ? fewest : `${fewest} to ${most}`}`;
  }
  const { needed = {}, optional = {} } = rule;
  const known = { ...optional, ...needed };
  for (const [field, value] of Object.entries(fields)) {
    const own = Object.hasOwn(known, field) ? known[field] : undefined;
    if (own === undefined) return `a ${kind} has no ${showValue(field)}`;
    if (value === undefined || own.holds(value)) continue;
    return `its ${field} is ${showValue(value)}, expected ${own.text}`;
  }
  const missing = Object.keys(needed).find((field) => fields[field] === undefined);
  if (missing !== undefined) return `a ${kind} needs ${missing}`;
  if (kind === "resize" && (inputs === 2) === (fields.scaleFactor !== undefined)) {
    return "a resize takes either a scaleFactor or the size of a second input";
  }
  return undefined;
}
