import { createDevice, type Device } from "@fcn/tensor";
import type { Command } from "commander";
import { savedTuning } from "../../measure/savedTuning.js";
import { loadModel } from "../../models/file/weightsFile.js";
import { inputChannels } from "../../models/graph/spec.js";
import { create, list } from "../../models/index.js";
import { positive, size, whole } from "../../options/rules.js";
import { UsageError } from "../output/errors.js";
import { parseModel, readerOf } from "./options.js";

/** The flags of commands that run a net on made-up images. */
export interface MeasuredFlags {
  readonly model?: string;
  readonly weights?: string;
  readonly classes: number;
  readonly width?: number;
  readonly size: [number, number];
  readonly batch: number;
}

export function addMeasuredFlags(command: Command): Command {
  return command
    .option("--model <name>", "the net (default: d2l-resnet18)", parseModel)
    .option("--weights <file>", "in place of --model: the net of a weights file")
    .option("--classes <n>", "classes of the net", readerOf("--classes", whole(1)), 21)
    .option("--width <x>", "factor on the channels of the net", readerOf("--width", positive))
    .option("--size <HxW>", "height and width of the images", readerOf("--size", size), [320, 480])
    .option("--batch <n>", "images of a batch", readerOf("--batch", whole(1)), 1);
}

export interface Measured {
  readonly device: Device;
  readonly net: ReturnType<typeof create>;
  readonly name: string;
  readonly channels: number;
}

/** Opens the device and builds the net. Destroys the device when `use` is done. */
export async function withMeasured<T>(flags: MeasuredFlags, use: (measured: Measured) => Promise<T>): Promise<T> {
  const { model = "d2l-resnet18", weights, classes, width } = flags;
  if (flags.model !== undefined && weights !== undefined)
    throw new UsageError(
      "--model and --weights exclude each other",
      `give one of them; ${list().length} models are known`,
    );
  const device = await createDevice({ tuning: savedTuning });
  try {
    if (weights !== undefined) {
      const { model: net, metadata } = await loadModel(weights, device);
      return await use({ device, net, name: metadata.model, channels: metadata.preprocessing.mean.length });
    }
    const options = { numClasses: classes, seed: 0, ...(width === undefined ? {} : { widthMultiplier: width }) };
    const net = create(model, device, options);
    return await use({ device, net, name: model, channels: inputChannels(net.graph) });
  } finally {
    device.destroy();
  }
}
