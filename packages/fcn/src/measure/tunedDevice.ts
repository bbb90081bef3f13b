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

/** A device with the tiles that were measured on this adapter, which goes on measuring with `auto`. */
export const tunedDevice = (tune: Tune = "off"): Promise<Device> =>
  createDevice(tune === "auto" ? { tune } : { tuning: savedTuning });
