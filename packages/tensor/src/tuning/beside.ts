import type { DeviceInfo } from "../device/adapter.js";
import { BackgroundTuner, type Workbench } from "./background.js";
import { type Measured, readMeasured, saveTuning, tuningFile } from "./file.js";

/** What is known of the tiles of an adapter, and what measures the others beside the work of a device. */
export interface BackgroundTuning {
  readonly known: Measured;
  tuner(poolBytes: number, open: () => Promise<Workbench>): BackgroundTuner;
}

/** Undefined where there is no file to keep what is measured. */
export async function backgroundTuning(info: DeviceInfo): Promise<BackgroundTuning | undefined> {
  if ((await tuningFile(info)) === undefined) return undefined;
  const known = await readMeasured(info);
  const tuner = (poolBytes: number, open: () => Promise<Workbench>): BackgroundTuner =>
    new BackgroundTuner({
      known,
      mostBytes: poolBytes / 4,
      open,
      keep: ({ key, tile, speedup }) => saveTuning(info, speedup > 1 ? { [key]: tile } : {}, [key]),
      tell: (line) => console.warn(line),
    });
  return { known, tuner };
}
