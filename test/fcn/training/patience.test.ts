import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../data/trees.js";
import { writeTinyData } from "./tinyData.js";
import { tinyRun } from "./tinyRun.js";

const root = await temporaryFolder("fcn-patience");
const data = await writeTinyData(join(root, "data"), 5);

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** A run that learns nothing, so that no validation surpasses the first, with the steps of its validations. */
async function run(name: string, options: Partial<fcn.TrainRunOptions>) {
  const lines: string[] = [];
  const validations: number[] = [];
  const view = {
    line: (text: string) => void lines.push(text),
    validation: (step: number) => void validations.push(step),
  };
  const still = { learningRate: 1e-12, optimizer: "sgd", schedule: "fixed", batchSize: 2 } as const;
  const pace = { steps: 12, readEvery: 2, validateEvery: 2, checkpointEvery: 12 };
  const base = { ...tinyRun(data, device), ...still, ...pace, freezeBatchNorm: true };
  const result = await fcn.trainRun({ ...base, ...options, view, out: join(root, name) });
  return { result, validations, lines: lines.filter((text) => text.startsWith("ended")) };
}

describe("patience", () => {
  it("ends a run after so many validations without a better mean IU, as one that is complete", async () => {
    const { result, validations, lines } = await run("ended", { patience: 2 });
    expect(validations).toEqual([2, 4, 6]);
    expect(result).toMatchObject({ done: 6, steps: 12, stopped: false, best: { step: 2 } });
    expect(lines).toEqual([
      "ended after step 6, since the best mean IU is that of step 2 and 2 validations have not surpassed it",
    ]);
    expect(result.files.map((file) => file.slice(join(root, "ended").length + 1))).toContain("report.html");
  });

  it("goes on where it ended with more of it, or without, and ends at once with as much", async () => {
    await run("resumed", { patience: 2 });
    const same = await run("resumed", { patience: 2, resume: true });
    expect([same.result.done, same.validations]).toEqual([6, []]);
    const more = await run("resumed", { patience: 3, resume: true });
    expect([more.result.done, more.validations]).toEqual([8, [8]]);
    const rest = await run("resumed", { resume: true });
    expect([rest.result.done, rest.validations]).toEqual([12, [10, 12]]);
    await run("straight", {});
    const weights = (name: string) => io.readSafetensors(join(root, name, "weights.safetensors"));
    expect(await weights("resumed")).toEqual(await weights("straight"));
  });

  it("does not end a run that gets better, or that has enough", async () => {
    const { result } = await run("learns", { patience: 1, learningRate: 0.05, freezeBatchNorm: false, steps: 4 });
    expect(result.done).toBe(4);
    expect((await run("enough", { patience: 5 })).result.done).toBe(12);
  });

  it("is refused without images to validate on, and below 1", async () => {
    await expect(run("alone", { patience: 2, open: { validation: 0 } })).rejects.toThrow(/patience 2 without images/);
    await expect(run("none", { patience: 0 })).rejects.toMatchObject({ code: "invalid-argument" });
  });
});
