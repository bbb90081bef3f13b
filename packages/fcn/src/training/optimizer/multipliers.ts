import type { nn } from "@fcn/tensor";
import { invalidArgument, nearest } from "@fcn/tensor/internal";
import { withoutUndefined } from "../../options/option.js";
import { bothWays } from "../remedies.js";

/** Factors on the learning rate and the weight decay, Caffe's `lr_mult` and `decay_mult`. Default 1 each. */
export interface Multipliers {
  readonly lr?: number;
  readonly decay?: number;
}

/** The kind of a parameter in its net. */
export type ParameterKind = "weight" | "bias" | "norm";

/**
 * Which parameters get factors other than 1. If several rules match a parameter, their factors multiply. The rules of a
 * recipe stay in force, except that a given kind or layer name replaces the recipe's rule of exactly that kind or name:
 * `aux_classifier` replaces the recipe's `aux_classifier`, while `aux_classifier*` multiplies with it.
 */
export interface MultiplierRules {
  /** Biases of convolutions. The published VGG nets use `{ lr: 2, decay: 0 }`. */
  readonly bias?: Multipliers;
  /** Weights and biases of batch and group norms. */
  readonly norm?: Multipliers;
  /**
   * Parameters by their own name or the name of a module above them: `{ aux_classifier: { lr: 10 } }`. `*` stands for
   * any characters, dots included (`score*`, `backbone.layer?.*.bn2`), and `?` for a single one.
   */
  readonly layers?: Readonly<Record<string, Multipliers>>;
}

export function multipliersOf(name: string, kind: ParameterKind, rules: MultiplierRules): Required<Multipliers> {
  const layers = Object.entries(rules.layers ?? {}).filter(([pattern]) => matchesLayer(name, pattern));
  const all = [kind === "weight" ? {} : (rules[kind] ?? {}), ...layers.map(([, factors]) => factors)];
  const product = (of: keyof Multipliers): number => all.reduce((value, factors) => value * (factors[of] ?? 1), 1);
  return { lr: product("lr"), decay: product("decay") };
}

/**
 * The rules of a recipe joined with the given ones. A given kind or layer name replaces the recipe's rule of exactly
 * that kind or name; undefined values count as not given.
 */
export function mergeRules(recipe: MultiplierRules, given: MultiplierRules = {}): MultiplierRules {
  const { layers: named = {}, ...kinds } = given;
  const layers = { ...recipe.layers, ...withoutUndefined(named) };
  return { ...recipe, ...withoutUndefined(kinds), ...(Object.keys(layers).length > 0 ? { layers } : {}) };
}

/** Whether a name of `layers` matches the parameter `name` or a module above it. */
function matchesLayer(name: string, pattern: string): boolean {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replaceAll("*", ".*").replaceAll("?", ".")}(\\..*)?$`).test(name);
}

/** Throws `invalid-argument`, with the nearest names, for a name of `layers` that matches no parameter of the net. */
export function checkLayers(model: nn.Module, { layers = {} }: MultiplierRules): void {
  const names = model.namedParameters().map(([name]) => name);
  const stray = Object.keys(layers).find((pattern) => !names.some((name) => matchesLayer(name, pattern)));
  if (stray === undefined) return;
  const close = nearest(stray.replace(/[*?]/g, ""), [...new Set(names.flatMap(withModules))]).join(", ");
  throw invalidArgument(
    `train: multipliers names ${JSON.stringify(stray)}, which is not a module with parameters`,
    bothWays((say) => {
      const option = say("multipliers.layers", "--lr-multiplier");
      return `the nearest names are ${close}; * stands for any characters, as in score* (${option})`;
    }),
  );
}

/** A parameter's name and those of the modules above it: layer4.0.weight, layer4.0, layer4. */
const withModules = (name: string): string[] =>
  name.split(".").map((_, i, parts) => parts.slice(0, parts.length - i).join("."));
