import { nn } from "@fcn/tensor";
import { invalidArgument } from "@fcn/tensor/internal";
import { GraphNet } from "../../models/graph/net.js";
import { scoreLayers } from "../../models/graph/scoreLayers.js";
import { isBelow, isNorm, namedModules } from "./parameterGroups.js";

/**
 * The names of the modules that learn. `scores` means the score layers alone, for a net from `models.create`
 * (FCN-32s-fixed in section 4.2 of the FCN paper).
 */
export type Trainable = readonly string[] | "scores";

/**
 * Makes every batch norm of the net normalise by its running statistics without updating them, until the next call of
 * `train`.
 */
export function freezeBatchNorm(module: nn.Module): void {
  if (module instanceof nn.BatchNorm2d) module.eval();
  for (const [, child] of module.namedChildren()) freezeBatchNorm(child);
}

/** Parameters that temporarily do not learn. */
export interface Freeze {
  /**
   * Puts norms whose weights and biases do not learn into evaluation mode, so that their statistics stay too. Call
   * after `train()`.
   */
  apply(): void;
  /** Lets all parameters learn again that did before. */
  undo(): void;
}

/**
 * Stops all parameters from learning except those below the named modules. The layers before the first one that learns
 * run without a tape, which frees their activations at once. Throws `invalid-argument` for a name that is not a module
 * with parameters.
 */
export function freezeAllBut(model: nn.Module, trainable: Trainable): Freeze {
  const names = trainable === "scores" ? scoreLayersOf(model) : trainable;
  const parameters = model.namedParameters();
  const stray = names.find((path) => !parameters.some(([name]) => isBelow(name, path)));
  if (stray !== undefined || names.length === 0) {
    throw invalidArgument(
      stray === undefined
        ? "train: trainable names no module"
        : `train: trainable names ${JSON.stringify(stray)}, which is not a module with parameters`,
      "name modules as in the state dict, without the last part: score_fr, or layer4.0",
    );
  }
  const learns = (name: string): boolean => names.some((path) => isBelow(name, path));
  const frozen = parameters.filter(([name, parameter]) => !learns(name) && parameter.requiresGrad);
  const norms = namedModules(model).filter(([name, module]) => isNorm(module) && !learns(name));
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
    code: 'name the modules that learn: { trainable: ["classifier"] }',
  });
}
