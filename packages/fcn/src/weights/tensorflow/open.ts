import { io } from "@fcn/tensor";
import { encodeMetadata } from "../../models/file/weightsFile.js";
import type { ModelOptions } from "../../models/index.js";
import { inceptionV3FromKeras } from "./inceptionV3.js";
import type { HostArrays } from "./layout.js";
import { mobilenetV2FromTensorFlow } from "./mobilenetV2.js";

/** How TensorFlow's nets become ours, with other names and another order of values. */
export const TENSORFLOW_MAPS: Readonly<
  Record<
    string,
    {
      readonly summary: string;
      /** Options with which our nets compute the same as TensorFlow's. */
      readonly options: Partial<ModelOptions>;
      readonly apply: (weights: HostArrays) => HostArrays;
    }
  >
> = {
  "tensorflow-mobilenetv2": {
    summary: "a TensorFlow.js MobileNetV2 to the backbone of our nets { samePadding: true, bnEps: 1e-3 }",
    options: { samePadding: true, bnEps: 1e-3 },
    apply: (weights) => mobilenetV2FromTensorFlow(weights),
  },
  "tensorflow-inceptionv3": {
    summary: "a TensorFlow.js InceptionV3 of Keras to the backbone of our nets { samePadding: true }",
    options: { samePadding: true },
    apply: (weights) => inceptionV3FromKeras(weights),
  },
};

/** Whether a path is that of a TensorFlow.js model: a `model.json`, or a bundle that contains one. */
export const isTensorFlowModel = (path: string): boolean => /\.(json|min\.js)$/i.test(path);

/**
 * Opens a TensorFlow.js model as weights, all of them in memory because `convert` reads arrays in its own order. The
 * metadata of mapped weights states the options that our nets need.
 */
export async function openTensorFlow(
  path: string,
  map: string | undefined,
): Promise<Pick<io.Weights, "arrays" | "metadata" | "ignored" | "skipped" | "dropped" | "key">> {
  const skipped: io.SkippedArray[] = [];
  const onSkipped = (name: string, reason: string) => void skipped.push({ name, reason, damaged: false });
  const weights = await io.readTfjs(path, { onSkipped });
  const chosen = map === undefined ? undefined : TENSORFLOW_MAPS[map];
  const named = chosen?.apply(weights) ?? weights;
  const arrays = Object.entries(named).map(([name, { dtype, shape, data }]): [string, io.LazyArray] => [
    name,
    { dtype, shape, stored: dtype, byteLength: data.byteLength, data: async () => data },
  ]);
  const metadata = encodeMetadata(chosen ? { options: chosen.options } : {});
  return { arrays: Object.fromEntries(arrays), metadata, ignored: [], skipped, dropped: [], key: undefined };
}
