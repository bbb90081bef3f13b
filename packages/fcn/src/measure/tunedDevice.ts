import { createDevice, type Device, type DeviceOptions, savedTuning } from "@fcn/tensor";
import { oneOf } from "../options/rules.js";

type Tune = DeviceOptions["tune"];

/** The row of what opens a device of its own. */
export const TUNE = {
  flag: "--tune <how>",
  help: "auto: measure which tiles are fastest on this GPU, beside the work and for later runs",
  reader: oneOf<NonNullable<Tune>>(["auto", "off"]),
  fallbackText: "off",
} as const;

/** The row of what opens a device. */
export const ADAPTER = {
  flag: "--adapter <kind>",
  help: "the WebGPU adapter to work on: auto (the first that there is), hardware or software",
  reader: oneOf<NonNullable<DeviceOptions["adapter"]>>(["auto", "hardware", "software"]),
  fallbackText: "auto",
} as const;

/** What a command or a run may ask of the device that it opens, as `createDevice` has it. */
interface DeviceChoice {
  readonly tune?: Tune | undefined;
  readonly adapter?: DeviceOptions["adapter"] | undefined;
}

/** A device with the tiles that were measured on this adapter, which goes on measuring with `auto`. */
export const tunedDevice = ({ tune = "off", adapter = "auto" }: DeviceChoice = {}): Promise<Device> =>
  createDevice({ adapter, ...(tune === "auto" ? { tune } : { tuning: savedTuning }) });
