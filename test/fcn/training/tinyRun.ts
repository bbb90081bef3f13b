import type * as fcn from "@fcn/core";
import type { Device } from "@fcn/tensor";

/** Options of a run of a small net on `data`, all but where it is written. */
export const tinyRun = (data: fcn.TrainRunOptions["data"], device: Device): Omit<fcn.TrainRunOptions, "out"> => ({
  data,
  model: "fcn8s-small",
  modelOptions: { widthMultiplier: 0.25, deconv: "learned" },
  device,
  batchSize: 3,
  learningRate: 0.01,
  seed: 3,
  workers: 0,
});
