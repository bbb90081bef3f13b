import type { HeadWeights } from "../loss/heads.js";
import type { Loss } from "../loss/loss.js";
import type { Reduction } from "../loss/reduction.js";
import type { MultiplierRules } from "../optimizer/multipliers.js";
import type { Schedule } from "../optimizer/schedules.js";

/** What a recipe fixes. */
export interface TrainSettings {
  /** Images that run through the net together. */
  readonly batchSize: number;
  /**
   * Batches whose gradients are added up for one step, as Caffe's `iter_size`. The step is that of one batch of all of
   * them, apart from batch norm, which sees one at a time.
   */
  readonly accumulationSteps: number;
  /** Of the first step. */
  readonly learningRate: number;
  /** What is measured at each pixel. */
  readonly loss: Loss;
  /** How the losses of pixels are added up. */
  readonly reduction: Reduction;
  /** Of SGD. */
  readonly momentum: number;
  /** Of SGD it is added to the gradients, of AdamW it shrinks the values. */
  readonly weightDecay: number;
  /**
   * Factors on rate and decay of biases, norms, and layers by name. Given ones join those of a recipe, and stand for
   * its own of the same kind or name.
   */
  readonly multipliers: MultiplierRules;
  /** The heads of the net that are trained, each with the weight of its loss. */
  readonly heads: HeadWeights;
  readonly schedule: Schedule;
  /** Steps over which the rate rises in equal parts from 0 to the schedule's. */
  readonly warmUp: number;
  /** Flip samples left to right at random. */
  readonly mirror: boolean;
}
