import type { Device } from "@fcn/tensor";
import type { Augmentation } from "../../data/augment/options.js";
import type { SampleOrder } from "../../data/loader/plan.js";
import type { OpenOptions } from "../../data/open/options.js";
import type { OpenedData } from "../../data/samples/dataset.js";
import type { Preprocessing } from "../../data/samples/preprocessing.js";
import type { Graph, ModelOptions } from "../../models/index.js";
import type { OptimizerName } from "../optimizer/optimizers.js";
import type { ScheduleName } from "../optimizer/schedules.js";
import type { TrainingSettings, TrainProgress } from "./options.js";
import type { RecipeName } from "./recipes.js";

/** Is told how a run goes. */
export interface TrainRunView {
  /**
   * A remark: warnings of the data check, what was loaded, images that were left out; and its words for a command
   * line, where they are others.
   */
  line?(text: string, commandText?: string): void;
  checking?(done: number, total: number): void;
  start?(model: string, steps: number, from: number): void;
  progress?(progress: TrainProgress): void;
  validation?(step: number, meanIU: number): void;
  /** Training is over, or failed. */
  end?(): void;
}

/**
 * Settings that are left out are those of the recipe. Without a recipe: AdamW at a rate of 1e-3 with weight decay 0.01,
 * or SGD at 0.01; batches of 4, mirroring, schedule `poly`, the mean of cross-entropy over the labelled pixels.
 */
export interface TrainRunOptions extends Omit<Partial<TrainingSettings>, "optimizer" | "schedule"> {
  /** A folder that `data.open` knows, or what it returned. */
  readonly data: string | OpenedData;
  /** A folder for everything that is written; it is made. */
  readonly out: string;
  /**
   * A name of `models.list()`, or a graph of your own. Default: what the file of weights tells, or the checkpoint from
   * which the run goes on.
   */
  readonly model?: string | Graph;
  /** Further options of the model, such as `widthMultiplier`. */
  readonly modelOptions?: Partial<Omit<ModelOptions, "numClasses">>;
  /**
   * A file of weights to start from, of this or of other classes; where it names them, those of one name keep their
   * scores. A run that goes on from a checkpoint does not need it.
   */
  readonly weights?: string;
  /**
   * Of `weights`: what stands in the file before the names of the net, where several prefixes fit; as in
   * `io.loadWeights`.
   */
  readonly prefix?: string;
  /**
   * In place of `steps`: passes over the training images. Batches go on from one pass into the next, so that all are
   * full. Default 20.
   */
  readonly epochs?: number;
  readonly recipe?: RecipeName;
  readonly optimizer?: OptimizerName;
  readonly schedule?: ScheduleName;
  /**
   * Height and width of random windows. Default: whole images; without a recipe, 480 x 480 where an image is larger.
   */
  readonly crop?: readonly [height: number, width: number];
  /** Further random changes. */
  readonly augmentation?: Omit<Augmentation, "crop" | "mirror">;
  /**
   * Default: that of the weights or of the published data set; else that of the published weights of the net where it
   * starts from a file, which is Caffe's for the nets with Caffe's layer names; else ImageNet's means.
   */
  readonly preprocessing?: Preprocessing;
  /**
   * In which order a pass takes the images; "replacement" draws each from all, as the published training does.
   * Default: the recipe's, else "shuffle".
   */
  readonly order?: SampleOrder;
  /**
   * Fixes initial values, order and changes of the images; not the split, whose seed is that of `open`. Default 0.
   */
  readonly seed?: number;
  /**
   * Goes on from the last checkpoint in `out`; from the beginning where there is none. All options must be those of the
   * checkpoint, but `steps` or `epochs` may be more: a finished run is lengthened so. Without them the length is that
   * of the checkpoint.
   */
  readonly resume?: boolean;
  /**
   * Replaces the run or the net that `out` holds; its files are removed when everything else is ready. Not with
   * `resume`.
   */
  readonly overwrite?: boolean;
  /** Steps between two validations. Default: about an epoch, and at least a twentieth of the run. */
  readonly validateEvery?: number;
  /** Steps between two checkpoints; a run may go on with another number. Default: as `validateEvery`. */
  readonly checkpointEvery?: number;
  /**
   * Steps between two readings of the loss, which is read before each validation as well. Default 10, or fewer where
   * validation comes sooner.
   */
  readonly readEvery?: number;
  /** Threads that decode. */
  readonly workers?: number;
  /**
   * Leaves out images that cannot be used, each from its split, and tells which: see the option of `data.open`.
   * Default: that of `open`, else false: they stop the run before it begins.
   */
  readonly skipBad?: boolean;
  /** How the folder is read. */
  readonly open?: OpenOptions;
  /** Default: a device of its own for the run. */
  readonly device?: Device;
  /**
   * Stops after the step in progress, or in a validation, which `resume` then makes anew; a checkpoint is written.
   * Before the first step the run throws "aborted".
   */
  readonly signal?: AbortSignal;
  readonly view?: TrainRunView;
}

/**
 * The options that have a row in the table of `settings/run.ts`; the others say how to read, where to run and whom to
 * tell.
 */
export type RunSettings = Omit<
  TrainRunOptions,
  keyof TrainingSettings | "open" | "skipBad" | "device" | "signal" | "view"
>;
