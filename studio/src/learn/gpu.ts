import { createDevice, type Device } from "@fcn/tensor";
import type { DeviceReport } from "./learner.js";
import { lostTooOften } from "./notes.js";

/** So many losses of the device without a step in between are no accident. */
const MOST_LOSSES = 3;

/** The device that all nets run on, and how often it was lost. */
export class Gpu {
  #device: Device | undefined;
  #losses = 0;

  /** Undefined while there is none. */
  get device(): Device | undefined {
    return this.#device;
  }

  /** Opens a device. `onLost` is called when the browser takes it away. */
  async open(onLost: () => void): Promise<DeviceReport> {
    const device = await createDevice({ quiet: true });
    this.#device = device;
    void device.lost.then(() => {
      if (this.#device !== device) return;
      this.#device = undefined;
      onLost();
    });
    const { description, software } = device.info;
    return { description, software };
  }

  /** A step was made. */
  works(): void {
    this.#losses = 0;
  }

  /** Counts a loss. Throws StudioError `gpu-lost` once there were too many in a row. */
  countLoss(): void {
    if (++this.#losses > MOST_LOSSES) throw lostTooOften(this.#losses);
  }
}
