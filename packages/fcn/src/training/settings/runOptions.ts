import type { Device, DeviceOptions } from "@fcn/tensor";
import type { Augmentation } from "../../data/augment/augmentation.js";
import type { SampleOrder } from "../../data/loader/plan.js";
import type { OpenOptions } from "../../data/open/openOptions.js";
import type { OpenedData } from "../../data/samples/dataset.js";
import type { Preprocessing } from "../../data/samples/preprocessing.js";
import type { Graph, ModelOptions } from "../../models/index.js";
import type { OptimizerName } from "../optimizer/optimizers.js";
import type { ScheduleName } from "../optimizer/schedules.js";
import type { RecipeName } from "./recipes.js";
import type { TrainingSettings, TrainProgress } from "./trainOptions.js";

/** What `pretrained` may be besides a name of published weights. */
export const PRETRAINED_WORDS = ["default", "auto", "none"] as const;

/** The model of a run that names none. */
export const DEFAULT_MODEL = "fcn16s-mobilenetv2";

/** Receives the progress of a run. */
export interface TrainRunView {
  /**
   * A remark, such as a warning of the data check, the loaded weights or images left out. `commandText` is its wording
   * for the command line, if that differs.
   */
  line?(text: string, commandText?: string): void;
  checking?(done: number, total: number): void;
  /** Bytes of pretrained weights that have come. */
  fetching?(done: number, total: number): void;
  /** `stepsPerEpoch` is a fraction where batches span two passes over the images. */
  start?(model: string, steps: number, from: number, stepsPerEpoch: number): void;
  progress?(progress: TrainProgress): void;
  /** `loss` is that of training on the validation images, if any of them has a label. */
  validation?(step: number, meanIU: number, loss?: number): void;
  /** A checkpoint was written; the training waits for what is done with it. */
  kept?(step: number): Promise<void>;
  /** Training has ended or failed. */
  end?(): void;
}

/**
 * Settings default to those of the recipe. Without a recipe they default to AdamW at a rate of 1e-3 with weight decay
 * 0.01 (SGD: a rate of 0.01), batches of 4, mirroring, schedule `poly`, and the mean of cross-entropy over the labelled
 * pixels.
 */
export interface TrainRunOptions extends Omit<Partial<TrainingSettings>, "optimizer" | "schedule" | "batchSize"> {
  /** A folder or an address that `data.open` understands, or what `data.open` returned. */
  readonly data: string | OpenedData;
  /** A folder for everything that is written. It is made if missing. */
  readonly out: string;
  /**
   * A name from `models.list()`, or a graph of your own. Default: what the weights say, or the checkpoint that the run
   * continues from; otherwise fcn16s-mobilenetv2.
   */
  readonly model?: string | Graph;
  /** Other options of the model, such as `widthMultiplier`. */
  readonly modelOptions?: Partial<Omit<ModelOptions, "numClasses">>;
  /**
   * A weights file to start from, or its address, for the same or other classes. If it names its classes, those of the
   * same name keep their scores. A run that continues from a checkpoint does not need it.
   */
  readonly weights?: string;
  /**
   * Published weights to start from, instead of `weights`: a name from `listWeights()`; `"default"` for those of the
   * model, fetched if they are not on this machine (of the whole net where there are some, otherwise of a classifier
   * with its backbone); `"auto"` for those only if they are on this machine, and random weights otherwise; `"none"` for
   * random weights. Images become numbers as these weights want it, unless `preprocessing` says otherwise. A run that
   * continues from a checkpoint keeps its start. Default "none"; of the command `fcn train`, "auto".
   */
  readonly pretrained?: "default" | "auto" | "none" | (string & {});
  /** The prefix before the net's names in `weights`, if several fit; as in `io.loadWeights`. */
  readonly prefix?: string;
  /**
   * Passes over the training images, instead of `steps`. Batches continue from one pass into the next, so that all are
   * full. Default 20.
   */
  readonly epochs?: number;
  /**
   * Images that go through the net together, at most as many as there are training images. "auto" tries 1, 2, 4, ... by
   * steps of a copy of the net, and takes the most that fit into `batchMemory`; a resumed run keeps its number. The
   * learning rate stays as it is.
   */
  readonly batchSize?: number | "auto";
  /** With `batchSize: "auto"`, the memory that a step may take on the device, in MiB. Default 4096. */
  readonly batchMemory?: number;
  readonly recipe?: RecipeName;
  readonly optimizer?: OptimizerName;
  readonly schedule?: ScheduleName;
  /**
   * Height and width of random windows, in pixels. Default: whole images; without a recipe, 480 x 480 if an image is
   * larger.
   */
  readonly crop?: readonly [height: number, width: number];
  /** Other random changes. */
  readonly augmentation?: Omit<Augmentation, "crop" | "mirror">;
  /**
   * Default: that of the weights or the published data set; otherwise, for a net that starts from a file, that of its
   * published weights (Caffe's, for nets with Caffe's layer names); otherwise ImageNet's means.
   */
  readonly preprocessing?: Preprocessing;
  /**
   * How a pass draws the images. "replacement" draws each from all images, as the published training does. Default: the
   * recipe's, otherwise "shuffle".
   */
  readonly order?: SampleOrder;
  /**
   * Fixes the initial values and the order and changes of the images. Does not fix the split, whose seed is in `open`.
   * Default 0.
   */
  readonly seed?: number;
  /**
   * Continues from the last checkpoint in `out`, or from the beginning if there is none. All options must be those of
   * the checkpoint, except that `steps` or `epochs` may be more, which lengthens a finished run. Without them the
   * length is the checkpoint's.
   */
  readonly resume?: boolean;
  /** Replaces the run or the net in `out`, whose files are removed once everything else is ready. Excludes `resume`. */
  readonly overwrite?: boolean;
  /** Steps between two validations. Default: about an epoch, and at least a twentieth of the run. */
  readonly validateEvery?: number;
  /** A file for a PNG image of the first training images after augmentation, with their labels. */
  readonly preview?: string;
  /**
   * Ends the run after so many validations in a row whose mean IU was no better than the best before; the best weights
   * are kept in any case. A resumed run may use another number. Default: never.
   */
  readonly patience?: number;
  /**
   * Ends the run after this step, with a checkpoint from which `resume` goes on. Unlike with fewer `steps`, the
   * learning rate is that of the whole run. Default: `steps`.
   */
  readonly stopAt?: number;
  /** Steps between two checkpoints. A resumed run may use another number. Default: `validateEvery`. */
  readonly checkpointEvery?: number;
  /**
   * Steps between two readings of the loss, which is also read before each validation. Default 10, or fewer if
   * validation comes sooner.
   */
  readonly readEvery?: number;
  /** The kind of adapter that the run opens where it is given no `device`, as `createDevice` has it. */
  readonly adapter?: DeviceOptions["adapter"];
  /**
   * Whether the run measures tiles for later ones beside its work, as `createDevice` has it. A run that goes on later
   * does so with the tiles that are known then, and says where they are others. Default "off".
   */
  readonly tune?: DeviceOptions["tune"];
  /** Number of threads that decode images. */
  readonly workers?: number;
  /**
   * Leaves unusable images out of their splits and reports them, as the option of `data.open` does. Default: that of
   * `open`, otherwise false, so that such images stop the run before it begins.
   */
  readonly skipBad?: boolean;
  /** How the folder is read. */
  readonly open?: OpenOptions;
  /** Default: the run opens its own device. */
  readonly device?: Device;
  /**
   * Stops the run after the current step, or during a validation, which `resume` then repeats; a checkpoint is written.
   * Before the first step, the run throws `aborted`.
   */
  readonly signal?: AbortSignal;
  readonly view?: TrainRunView;
}

/** The options of {@link TrainRunOptions}, and how many runs they are for. */
export interface TrainFoldsOptions extends TrainRunOptions {
  /** Parts into which the images are divided, from 2 to the number of images; each is validated on once. */
  readonly folds: number;
}

/**
 * The options that have a row in the table of `settings/run.ts`. The others say how to read, where to run and whom to
 * inform.
 */
export type RunSettings = Omit<
  TrainRunOptions,
  keyof TrainingSettings | "open" | "skipBad" | "device" | "signal" | "view"
>;
