import type { HeadWeights } from "../loss/heads.js";
import type { Loss } from "../loss/loss.js";
import type { Reduction } from "../loss/reduction.js";
import type { MultiplierRules } from "../optimizer/multipliers.js";
import type { Schedule } from "../optimizer/schedules.js";

/** The settings that a recipe fixes. */
export interface TrainSettings {
  /** Images that go through the net together. */
  readonly batchSize: number;
  /**
   * Batches whose gradients are added up for one step, Caffe's `iter_size`. The step equals that of one large batch,
   * except that batch norm sees one batch at a time.
   */
  readonly accumulationSteps: number;
  /** Learning rate of the first step; with the schedule `oneCycle` the highest. */
  readonly learningRate: number;
  /** The loss of each pixel. */
  readonly loss: Loss;
  /** How the losses of pixels become one number. */
  readonly reduction: Reduction;
  /** Momentum of SGD or RMSprop. */
  readonly momentum: number;
  /** Times the values it is added to the gradients; AdamW shrinks the values by it. */
  readonly weightDecay: number;
  /**
   * Factors on rate and decay of biases, norms and named layers. Given rules join those of a recipe and replace its
   * rules of the same kind or name.
   */
  readonly multipliers: MultiplierRules;
  /** The heads of the net to train, each with the weight of its loss. */
  readonly heads: HeadWeights;
  readonly schedule: Schedule;
  /** Steps over which the rate rises linearly from 0 to the schedule's. */
  readonly warmUp: number;
  /** Flips samples left to right at random. */
  readonly mirror: boolean;
}
