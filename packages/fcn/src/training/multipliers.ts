import type { nn } from "@fcn/tensor";
import { invalidArgument, nearest } from "@fcn/tensor/internal";
import { bothWays } from "./remedies.js";
import { withoutUndefined } from "./withoutUndefined.js";

/** Factors on the learning rate and the weight decay, Caffe's `lr_mult` and `decay_mult`. Each is 1 unless given. */
export interface Multipliers {
  readonly lr?: number;
  readonly decay?: number;
}

/** What a parameter is in its net. */
export type ParameterKind = "weight" | "bias" | "norm";

/**
 * Which parameters get other factors than 1. Where several rules meet a parameter, their factors multiply. Those of a
 * recipe hold too, but for a kind, or a name as it is written, that is given: `aux_classifier` takes the place of the
 * recipe's rule of that name, `aux_classifier*` multiplies with it.
 */
export interface MultiplierRules {
  /** Biases of convolutions. The published VGG nets have `{ lr: 2, decay: 0 }`. */
  readonly bias?: Multipliers;
  /** Weight and bias of batch and group norms. */
  readonly norm?: Multipliers;
  /**
   * Parameters by their names, or below a module by its name: `{ aux_classifier: { lr: 10 } }`. `*` stands for any
   * characters, dots among them: `score*`, `backbone.layer?.*.bn2`; `?` for one.
   */
  readonly layers?: Readonly<Record<string, Multipliers>>;
}

/** The factors of a parameter. */
export function multipliersOf(name: string, kind: ParameterKind, rules: MultiplierRules): Required<Multipliers> {
  const layers = Object.entries(rules.layers ?? {}).filter(([pattern]) => matchesLayer(name, pattern));
  const all = [kind === "weight" ? {} : (rules[kind] ?? {}), ...layers.map(([, factors]) => factors)];
  const product = (of: keyof Multipliers): number => all.reduce((value, factors) => value * (factors[of] ?? 1), 1);
  return { lr: product("lr"), decay: product("decay") };
}

/**
 * The rules of a recipe with those that were given. Of one kind, or one name of a layer as it is written, the given
 * ones alone hold; what is undefined was not given.
 */
export function mergeRules(recipe: MultiplierRules, given: MultiplierRules = {}): MultiplierRules {
  const { layers: named = {}, ...kinds } = given;
  const layers = { ...recipe.layers, ...withoutUndefined(named) };
  return { ...recipe, ...withoutUndefined(kinds), ...(Object.keys(layers).length > 0 ? { layers } : {}) };
}

/** Whether the parameter `name` is meant by a name of `layers`, or lies below a module that is. */
function matchesLayer(name: string, pattern: string): boolean {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${literal.replaceAll("*", ".*").replaceAll("?", ".")}(\\..*)?$`).test(name);
}

/** Throws for a name of `layers` that means no parameter of the net, with the names that come nearest. */
export function checkLayers(model: nn.Module, { layers = {} }: MultiplierRules): void {
  const names = model.namedParameters().map(([name]) => name);
  const stray = Object.keys(layers).find((pattern) => !names.some((name) => matchesLayer(name, pattern)));
  if (stray === undefined) return;
  const close = nearest(stray.replace(/[*?]/g, ""), [...new Set(names.flatMap(withModules))]).join(", ");
  throw invalidArgument(
    `train: multipliers names ${JSON.stringify(stray)}, which is no module with parameters`,
    bothWays((say) => {
      const option = say("multipliers.layers", "--lr-multiplier");
      return `the nearest names are ${close}; * stands for any characters, as in score* (${option})`;
    }),
  );
}

/** layer4.0.weight with layer4.0 and layer4. */
const withModules = (name: string): string[] =>
  name.split(".").map((_, i, parts) => parts.slice(0, parts.length - i).join("."));
