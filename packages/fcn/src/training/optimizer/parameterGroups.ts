import { nn, type Tensor } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { type MultiplierRules, multipliersOf, type ParameterKind } from "./multipliers.js";

/** Parameters with their own settings for an optimiser. Settings left out are those of the optimiser. */
export interface LearningGroup {
  readonly params: Tensor[];
  readonly lr?: number;
  readonly weightDecay?: number;
}

/** Options of {@link parameterGroups}. */
export interface ParameterGroupOptions {
  readonly learningRate: number;
  /** Default 0. */
  readonly weightDecay?: number;
  readonly multipliers?: MultiplierRules;
}

/** Whether `name` is the module or parameter `path`, or lies below it. */
export const isBelow = (name: string, path: string): boolean => name === path || name.startsWith(`${path}.`);

/** Every module of a net with its name, starting with the net itself, as PyTorch's `named_modules`. */
export function namedModules(module: nn.Module, name = ""): [name: string, module: nn.Module][] {
  const children = module
    .namedChildren()
    .flatMap(([child, inner]) => namedModules(inner, name ? `${name}.${child}` : child));
  return [[name, module], ...children];
}

export const isNorm = (module: nn.Module): boolean =>
  module instanceof nn.BatchNorm2d || module instanceof nn.GroupNorm;

/** The kind of every parameter by name, in the order of the net. */
function parameterKinds(model: nn.Module): Map<string, ParameterKind> {
  const norms = namedModules(model).filter(([, module]) => isNorm(module));
  const kindOf = (name: string): ParameterKind => {
    if (norms.some(([norm]) => norm === "" || isBelow(name, norm))) return "norm";
    return /(^|\.)bias$/.test(name) ? "bias" : "weight";
  };
  return new Map(model.namedParameters().map(([name]) => [name, kindOf(name)]));
}

/**
 * The parameters that learn (`requiresGrad`), grouped by learning rate and weight decay. The group with factors of 1
 * comes first. Throws `invalid-argument` if no parameter learns.
 */
export function parameterGroups(model: nn.Module, options: ParameterGroupOptions): LearningGroup[] {
  const kinds = parameterKinds(model);
  const { learningRate, weightDecay = 0, multipliers = {} } = options;
  const groups = new Map<string, LearningGroup>([["1/1", { params: [] }]]);
  for (const [name, parameter] of model.namedParameters()) {
    if (!parameter.requiresGrad) continue;
    const { lr, decay } = multipliersOf(name, kinds.get(name) as ParameterKind, multipliers);
    const key = `${lr}/${decay}`;
    const group = groups.get(key) ?? {
      params: [],
      ...(lr === 1 ? {} : { lr: learningRate * lr }),
      ...(decay === 1 ? {} : { weightDecay: weightDecay * decay }),
    };
    group.params.push(parameter);
    groups.set(key, group);
  }
  const filled = [...groups.values()].filter(({ params }) => params.length > 0);
  if (filled.length > 0) return filled;
  throw invalidArgument("parameterGroups: no parameter of the net learns", {
    code: "set requiresGrad of some parameters, or name layers that have parameters in `trainable`",
  });
}
