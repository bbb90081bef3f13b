import { mapLabels, type SegmentationSample } from "../../labels/sample.js";
import { loadItem, type SampleItem } from "../samples/item.js";
import { type Inspection, type InspectTask, inspectItem } from "./inspect.js";
import { type BatchTask, type HostSamples, makeBatch } from "./makeBatch.js";
import { type RangeSurvey, surveyRange } from "./rangeSurvey.js";
import { type MaskSurvey, surveyMask } from "./surveyMasks.js";

/** The tasks of a worker; input and output are plain data. */
export interface Tasks {
  readonly sample: readonly [SampleItem, SegmentationSample];
  readonly batch: readonly [BatchTask<SampleItem>, HostSamples];
  readonly inspect: readonly [InspectTask, Inspection];
  readonly survey: readonly [string, MaskSurvey];
  readonly range: readonly [string, RangeSurvey | undefined];
}
export type TaskName = keyof Tasks;

interface Task<K extends TaskName> {
  readonly run: (input: Tasks[K][0]) => Promise<Tasks[K][1]>;
  /** Buffers of the output that are transferred instead of copied. */
  readonly buffers: (output: Tasks[K][1]) => ArrayBuffer[];
}

export const TASKS: { readonly [K in TaskName]: Task<K> } = {
  sample: {
    run: async (item) => withOwnBuffers(await loadItem(item)),
    buffers: ({ image, labels, more = {} }) => {
      return [image.data, labels, ...Object.values(more)].map(({ buffer }) => buffer as ArrayBuffer);
    },
  },
  batch: {
    run: (task) => makeBatch(task, loadItem),
    buffers: ({ images, labels, more = {} }) => {
      return [images, labels, ...Object.values(more)].map(({ buffer }) => buffer as ArrayBuffer);
    },
  },
  inspect: { run: inspectItem, buffers: () => [] },
  survey: { run: surveyMask, buffers: () => [] },
  range: { run: surveyRange, buffers: () => [] },
};

/** A decoder's buffer may be part of a larger one, or not its own to transfer. */
function withOwnBuffers(sample: SegmentationSample): SegmentationSample {
  const { image } = sample;
  return { ...mapLabels(sample, (labels) => labels.slice()), image: { ...image, data: image.data.slice() } };
}
