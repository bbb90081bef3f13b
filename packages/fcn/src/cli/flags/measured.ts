import type { Device } from "@fcn/tensor";
import { ADAPTER, tunedDevice } from "../../measure/tunedDevice.js";
import { loadModel } from "../../models/file/weightsFile.js";
import { inputChannels } from "../../models/graph/spec.js";
import { create } from "../../models/index.js";
import { modelReader } from "../../models/modelReader.js";
import { positive, size, whole } from "../../options/rules.js";
import type { Given } from "./addFlags.js";
import { refuseBoth } from "./checks.js";
import { JSON_OUTPUT } from "./common.js";

const MODEL = "d2l-resnet18";

/** The flags of commands that run a net on made-up images. */
export const MEASURED = {
  model: { flag: "--model <name>", help: "the net", reader: modelReader, fallbackText: MODEL },
  weights: { flag: "--weights <file>", help: "measure the net of a weights file instead of --model" },
  classes: { flag: "--classes <n>", help: "number of classes of the net", rule: whole(1), fallback: 21 },
  width: {
    flag: "--width <x>",
    help: "factor on the number of channels of the net",
    reader: positive,
    fallbackText: "1",
  },
  size: {
    flag: "--size <HxW>",
    help: "height and width of the images",
    reader: size,
    fallback: [320, 480],
    fallbackText: "320x480",
  },
  adapter: ADAPTER,
  batch: { flag: "--batch <n>", help: "images per batch", rule: whole(1), fallback: 1 },
  ...JSON_OUTPUT,
} as const;

export interface Measured {
  readonly device: Device;
  readonly net: ReturnType<typeof create>;
  readonly name: string;
  readonly channels: number;
}

/** Opens the device and builds the net. Destroys the device when `use` is done. */
export async function withMeasured<T>(
  { model, weights, classes, width, adapter }: Given<typeof MEASURED>,
  use: (measured: Measured) => Promise<T>,
): Promise<T> {
  refuseBoth({ "--model": model, "--weights": weights });
  const device = await tunedDevice({ adapter });
  try {
    if (weights !== undefined) {
      const { model: net, metadata } = await loadModel(weights, device);
      return await use({ device, net, name: metadata.model, channels: metadata.preprocessing.mean.length });
    }
    const name = model ?? MODEL;
    const net = create(name, device, { numClasses: classes, seed: 0, ...(width && { widthMultiplier: width }) });
    return await use({ device, net, name, channels: inputChannels(net.graph) });
  } finally {
    device.destroy();
  }
}
