import { type Inspection, type InspectTask, inspectItem } from "../check/inspect.js";
import { type MaskSurvey, surveyMask } from "../folder/surveyMasks.js";
import { loadItem, type SampleItem } from "../item.js";
import { type BatchTask, type HostSamples, makeBatch } from "../loader/makeBatch.js";

/** What a worker can do: input and output are plain data. */
export interface Tasks {
  readonly batch: readonly [BatchTask<SampleItem>, HostSamples];
  readonly inspect: readonly [InspectTask, Inspection];
  readonly survey: readonly [string, MaskSurvey];
}
export type TaskName = keyof Tasks;

interface Task<K extends TaskName> {
  readonly run: (input: Tasks[K][0]) => Promise<Tasks[K][1]>;
  /** Buffers of the output that are handed over instead of copied. */
  readonly buffers: (output: Tasks[K][1]) => ArrayBuffer[];
}

export const TASKS: { readonly [K in TaskName]: Task<K> } = {
  batch: {
    run: (task) => makeBatch(task, loadItem),
    buffers: ({ images, labels, more = {} }) => {
      return [images, labels, ...Object.values(more)].map(({ buffer }) => buffer as ArrayBuffer);
    },
  },
  inspect: { run: inspectItem, buffers: () => [] },
  survey: { run: surveyMask, buffers: () => [] },
};
