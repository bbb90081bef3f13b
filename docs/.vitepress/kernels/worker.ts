/** Tries kernels away from the page: float64 in the reference takes a while. */
import type { AnyOpCase, Capabilities } from "@fcn/kernels";
import { createDevice, type Device } from "@fcn/tensor";
import { loadCases } from "./cases.mjs";
import type { Settings } from "./figures.js";
import { type Check, checkPlan, type Timing, timePlan } from "./trial.js";

/** Which plan of which case is to be tried. */
export interface Asked {
  readonly folder: string;
  readonly op: number;
  readonly plan: number;
  readonly settings: Settings;
}

export interface Trial {
  readonly device: string;
  readonly capabilities: Capabilities;
  readonly timing: Timing;
  readonly check: Check | undefined;
}

export type Answer =
  | { readonly trial: Trial }
  | { readonly failed: { readonly code: string; readonly message: string; readonly fix: string | undefined } };

let opened: Promise<Device> | undefined;

/** The device of this page, opened by the first trial and again after a loss. */
async function openDevice(): Promise<Device> {
  opened ??= createDevice({ quiet: true });
  const forget = () => {
    opened = undefined;
  };
  opened.then(({ lost }) => lost.then(forget), forget);
  return opened;
}

/** What the browser says of the adapter, which may be little. */
function nameOf({ info: { description, vendor, architecture, software } }: Device): string {
  return description || [vendor, architecture].filter(Boolean).join(" ") || (software ? "a software adapter" : "a GPU");
}

async function tried({ folder, op: index, plan, settings }: Asked): Promise<Answer> {
  try {
    const op = (await loadCases(folder))[index] as AnyOpCase;
    const device = await openDevice();
    const check = await checkPlan(device, op, plan, settings);
    const timing = await timePlan(device, op, plan, settings);
    return { trial: { device: nameOf(device), capabilities: device.capabilities, timing, check } };
  } catch (error) {
    const { name, code = name, message, fix } = error as Error & { code?: string; fix?: string };
    return { failed: { code, message, fix } };
  }
}

addEventListener("message", ({ data }: MessageEvent<Asked>) => void tried(data).then((answer) => postMessage(answer)));
