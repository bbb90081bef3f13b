import { nn, type Tensor, TensorError } from "@fcn/tensor";

/** Factors on the learning rate and the weight decay, Caffe's `lr_mult` and `decay_mult`. Each is 1 unless given. */
export interface Multipliers {
  readonly lr?: number;
  readonly decay?: number;
}

/** Which parameters get other factors than 1. Where several rules meet a parameter, their factors multiply. */
export interface MultiplierRules {
  /** Biases of convolutions. The published VGG nets have `{ lr: 2, decay: 0 }`. */
  readonly bias?: Multipliers;
  /** Weight and bias of batch and group norms. */
  readonly norm?: Multipliers;
  /** Parameters below a module, by its name: `{ aux_classifier: { lr: 10 } }`. */
  readonly layers?: Readonly<Record<string, Multipliers>>;
}

/** What a parameter is in its net. */
export type ParameterKind = "weight" | "bias" | "norm";

/** Parameters with settings of their own, for an optimiser. What is left out is that of the optimiser. */
export interface LearningGroup {
  readonly params: Tensor[];
  readonly lr?: number;
  readonly weightDecay?: number;
}

export interface ParameterGroupOptions {
  readonly learningRate: number;
  /** Default 0. */
  readonly weightDecay?: number;
  readonly multipliers?: MultiplierRules;
}

/** Whether `name` is that of the module or parameter `path`, or lies below it. */
export const isBelow = (name: string, path: string): boolean => name === path || name.startsWith(`${path}.`);

/** Every module of a net with its name, the net itself first, as torch's `named_modules`. */
export function namedModules(module: nn.Module, name = ""): [name: string, module: nn.Module][] {
  const children = module
    .namedChildren()
    .flatMap(([child, inner]) => namedModules(inner, name ? `${name}.${child}` : child));
  return [[name, module], ...children];
}

export const isNorm = (module: nn.Module): boolean =>
  module instanceof nn.BatchNorm2d || module instanceof nn.GroupNorm;

/** The kind of every parameter by name, in the order of the net. */
export function parameterKinds(model: nn.Module): Map<string, ParameterKind> {
  const norms = namedModules(model).filter(([, module]) => isNorm(module));
  const kindOf = (name: string): ParameterKind => {
    if (norms.some(([norm]) => norm === "" || isBelow(name, norm))) return "norm";
    return /(^|\.)bias$/.test(name) ? "bias" : "weight";
  };
  return new Map(model.namedParameters().map(([name]) => [name, kindOf(name)]));
}

/**
 * The parameters that learn (`requiresGrad`), grouped by their learning rate and weight decay; those with factors of 1 come first.
 * Throws where none learns.
 */
export function parameterGroups(model: nn.Module, options: ParameterGroupOptions): LearningGroup[] {
  const kinds = parameterKinds(model);
  const groups = new Map<string, { params: Tensor[]; lr: number; decay: number }>([
    ["1/1", { params: [], lr: 1, decay: 1 }],
  ]);
  for (const [name, parameter] of model.namedParameters()) {
    if (!parameter.requiresGrad) continue;
    const { lr, decay } = multipliersOf(name, kinds.get(name) as ParameterKind, options.multipliers ?? {});
    const key = `${lr}/${decay}`;
    const group = groups.get(key) ?? { params: [], lr, decay };
    groups.set(key, group);
    group.params.push(parameter);
  }
  const filled = [...groups.values()].filter(({ params }) => params.length > 0);
  if (filled.length === 0) throw nothingLearns();
  const { learningRate, weightDecay = 0 } = options;
  return filled.map(({ params, lr, decay }) => ({
    params,
    ...(lr === 1 ? {} : { lr: learningRate * lr }),
    ...(decay === 1 ? {} : { weightDecay: weightDecay * decay }),
  }));
}

function multipliersOf(name: string, kind: ParameterKind, rules: MultiplierRules): Required<Multipliers> {
  const layers = Object.entries(rules.layers ?? {}).filter(([path]) => isBelow(name, path));
  const all = [kind === "weight" ? {} : (rules[kind] ?? {}), ...layers.map(([, factors]) => factors)];
  const product = (of: keyof Multipliers): number => all.reduce((value, factors) => value * (factors[of] ?? 1), 1);
  return { lr: product("lr"), decay: product("decay") };
}

function nothingLearns(): TensorError {
  return new TensorError({
    code: "invalid-argument",
    message: "parameterGroups: no parameter of the net learns",
    fix: "set requiresGrad of some parameters, or name layers that have parameters in `trainable`",
  });
}
