import { nn, type TensorError } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { GraphNet } from "../models/graph/net.js";
import { scoreLayers } from "../models/graph/scoreLayers.js";
import { isBelow, isNorm, namedModules } from "./parameterGroups.js";

/**
 * The modules that learn, by name, or `scores`: the score layers of a net from `models.create` alone (FCN-32s-fixed of
 * the paper's section 4.2).
 */
export type Trainable = readonly string[] | "scores";

/**
 * Makes every batch norm of the net normalise by its running statistics and leave them as they are, until `train` is
 * called next.
 */
export function freezeBatchNorm(module: nn.Module): void {
  if (module instanceof nn.BatchNorm2d) module.eval();
  for (const [, child] of module.namedChildren()) freezeBatchNorm(child);
}

/** Parameters that do not learn for a while. */
export interface Freeze {
  /**
   * Puts norms of which nothing learns into evaluation mode, so that their statistics stay too; to be called after
   * `train()`.
   */
  apply(): void;
  /** Lets all parameters learn that did before. */
  undo(): void;
}

/**
 * Stops all parameters from learning but those below the named modules. What lies in front of the first layer that
 * learns is then run without a tape: its activations are freed at once. Throws for a name that is no module with
 * parameters.
 */
export function freezeAllBut(model: nn.Module, trainable: Trainable): Freeze {
  const names = trainable === "scores" ? scoreLayersOf(model) : trainable;
  const parameters = model.namedParameters();
  const stray = names.find((path) => !parameters.some(([name]) => isBelow(name, path)));
  if (stray !== undefined || names.length === 0) throw noModule(stray);
  const learns = (name: string): boolean => names.some((path) => isBelow(name, path));
  const frozen = parameters.filter(([name, parameter]) => !learns(name) && parameter.requiresGrad);
  const norms = namedModules(model).filter(
    ([name, module]) => isNorm(module) && !names.some((path) => isBelow(name, path)),
  );
  for (const [, parameter] of frozen) parameter.requiresGrad = false;
  return {
    apply: () => {
      for (const [, norm] of norms) norm.eval();
    },
    undo: () => {
      for (const [, parameter] of frozen) parameter.requiresGrad = true;
    },
  };
}

function scoreLayersOf(model: nn.Module): string[] {
  if (model instanceof GraphNet) return scoreLayers(model.graph);
  throw invalidArgument('train: trainable "scores" needs a net from models.create, whose layers are known', {
    code: 'name the modules that shall learn: { trainable: ["classifier"] }',
  });
}

function noModule(name: string | undefined): TensorError {
  return invalidArgument(
    name === undefined
      ? "train: trainable names no module"
      : `train: trainable names ${JSON.stringify(name)}, which is no module with parameters`,
    "name modules as in the state dict, without the last part: score_fr, or layer4.0",
  );
}
